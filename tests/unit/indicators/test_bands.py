from __future__ import annotations

import numpy as np
import pytest
import talib
from tests.builders import random_walk

from vela.indicators.bands import Bands, bollinger_bands, keltner_channels, reentries

NAN = float("nan")


def test_bollinger_bands_by_hand():
    # 2, 4, 6: mean 4, squares 4 + 0 + 4, deviation √(8/3). 4, 6, 11: mean 7, squares 9 + 1 + 16, deviation √(26/3).
    bands = bollinger_bands(np.array([2.0, 4.0, 6.0, 11.0]), 3, 1.5)
    np.testing.assert_array_equal(bands.middle, [NAN, NAN, 4.0, 7.0])
    reach = 1.5 * np.sqrt([8 / 3, 26 / 3])
    np.testing.assert_allclose(bands.lower[2:], bands.middle[2:] - reach, rtol=1e-14)
    np.testing.assert_allclose(bands.upper[2:], bands.middle[2:] + reach, rtol=1e-14)
    assert np.isnan(bands.lower[:2]).all()
    assert np.isnan(bands.upper[:2]).all()


@pytest.mark.parametrize("period", [5, 20, 200])
@pytest.mark.parametrize("price", [1e-5, 1.0, 60_000.0])
def test_bollinger_bands_agree_with_talib(period: int, price: float):
    closes = random_walk(3_000, seed=1, volatility=0.002).close * price / 100
    upper, middle, lower = talib.BBANDS(closes, timeperiod=period, nbdevup=2.0, nbdevdn=2.0)
    np.testing.assert_allclose(bollinger_bands(closes, period, 2.0), [lower, middle, upper], rtol=1e-9)


@pytest.mark.parametrize("period", [5, 20, 200])
def test_bollinger_bands_forget_what_left_their_window_to_the_last_bit(period: int):
    closes = np.round(random_walk(3_000, seed=2).close, 1)
    whole = bollinger_bands(closes, period, 2.0)
    for end in range(period, len(closes), 97):
        part = bollinger_bands(closes[end - period : end], period, 2.0)
        assert [band[-1] for band in part] == [band[end - 1] for band in whole]


def test_keltner_channels_by_hand():
    high = np.array([10.0, 12.0, 11.0, 15.0, 14.0])
    low = np.array([9.0, 10.0, 10.0, 12.0, 8.0])
    close = np.array([9.5, 11.0, 10.0, 14.0, 9.0])
    # Averages: (9.5 + 11 + 10) / 3 = 61/6, then halfway to 14 = 145/12, halfway to 9 = 253/24.
    # True ranges 2.5, 1, 5, 6: seed 17/6, then (2 × 17/6 + 6) / 3 = 35/9.
    bands = keltner_channels(high, low, close, 3, 3, 2.0)
    np.testing.assert_allclose(bands.middle, [NAN, NAN, 61 / 6, 145 / 12, 253 / 24], rtol=1e-14)
    np.testing.assert_allclose(bands.lower[3:], [145 / 12 - 17 / 3, 253 / 24 - 70 / 9], rtol=1e-14)
    np.testing.assert_allclose(bands.upper[3:], [145 / 12 + 17 / 3, 253 / 24 + 70 / 9], rtol=1e-14)
    assert np.isnan(bands.lower[:3]).all()


def test_keltner_channels_agree_with_talib_where_the_typical_price_is_the_close():
    close = random_walk(500, seed=3).close
    upper, middle, lower = talib.KC(close + 1, close - 1, close, timeperiod=20, atrperiod=10, nbdev=2.0)
    bands = keltner_channels(close + 1, close - 1, close, 20, 10, 2.0)
    np.testing.assert_allclose([band[400:] for band in bands], [lower[400:], middle[400:], upper[400:]], rtol=1e-12)


@pytest.mark.parametrize(
    ("values", "buy", "sell"),
    [
        ((8.0, 10.0), True, False),
        ((9.0, 10.0), True, False),
        ((8.0, 9.0), False, False),
        ((12.0, 10.0), False, True),
        ((11.0, 10.0), False, True),
        ((12.0, 11.0), False, False),
        ((10.0, 8.0), False, False),
        ((10.0, 12.0), False, False),
        ((8.0, 12.0), True, False),
    ],
)
def test_values_that_come_back_between_bands_at_9_and_11(values: tuple[float, float], buy: bool, sell: bool):
    bands = Bands(np.full(2, 9.0), np.full(2, 10.0), np.full(2, 11.0))
    came_up, came_down = reentries(np.array(values), bands)
    assert (came_up.tolist(), came_down.tolist()) == ([False, buy], [False, sell])


@pytest.mark.parametrize("width", [0.0, 1e-14])
@pytest.mark.parametrize("step", [1.0, -1.0])
def test_nothing_comes_back_from_bands_without_width(width: float, step: float):
    around = np.array([width, 3.0])
    bands = Bands(10.0 - around, np.full(2, 10.0), 10.0 + around)
    came_up, came_down = reentries(np.array([10.0, 10.0 + step]), bands)
    assert not came_up.any()
    assert not came_down.any()


@pytest.mark.parametrize("count", [0, 1, 4])
def test_too_few_values_leave_them_undefined(count: int):
    c = random_walk(10, seed=4).slice(0, count)
    for bands in (bollinger_bands(c.close, 5, 2.0), keltner_channels(c.high, c.low, c.close, 5, 5, 2.0)):
        assert [band.shape for band in bands] == [(count,)] * 3
        assert np.isnan(bands).all()
