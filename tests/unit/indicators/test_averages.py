from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import talib
from hypothesis import given
from hypothesis import strategies as st
from tests.builders import random_walk

from vela.indicators.averages import deviation, ema, sma

prices = st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=40)


def test_sma_by_hand():
    np.testing.assert_array_equal(sma(np.array([1.0, 2.0, 3.0, 6.0, 9.0]), 3), [np.nan, np.nan, 2.0, 11 / 3, 6.0])


def test_ema_by_hand():
    # Seed: (1 + 2 + 3) / 3 = 2; weight 2 / 4; then 2 + (6 - 2) / 2 = 4 and 4 + (9 - 4) / 2 = 6.5.
    np.testing.assert_array_equal(ema(np.array([1.0, 2.0, 3.0, 6.0, 9.0]), 3), [np.nan, np.nan, 2.0, 4.0, 6.5])


@pytest.mark.parametrize("average", [sma, ema, deviation])
@pytest.mark.parametrize("count", [0, 1, 4, 5, 6, 50])
def test_the_head_is_undefined_and_nothing_else(average, count: int):
    values = average(np.arange(1.0, count + 1.0), 5)
    assert values.shape == (count,)
    assert np.isnan(values[:4]).all()
    assert np.isfinite(values[4:]).all()


@given(prices, st.integers(1, 45))
def test_sma_is_the_mean_of_its_window(values: list[float], period: int):
    averages = sma(np.array(values), period)
    for row, average in enumerate(averages):
        if row < period - 1:
            assert np.isnan(average)
        else:
            exact = sum(map(Fraction, values[row - period + 1 : row + 1])) / period
            assert average == pytest.approx(float(exact), rel=1e-13)


@pytest.mark.parametrize("period", [2, 10, 30, 200])
def test_sma_agrees_with_talib(period: int):
    closes = random_walk(2_000, seed=1).close
    np.testing.assert_allclose(sma(closes, period), talib.SMA(closes, timeperiod=period), rtol=1e-12)


@pytest.mark.parametrize("period", [5, 30, 200])
def test_sma_forgets_what_left_its_window_to_the_last_bit(period: int):
    closes = np.round(random_walk(3_000, seed=2).close, 2)
    averages = sma(closes, period)
    for end in range(period, len(closes), 97):
        assert sma(closes[end - period : end], period)[-1] == averages[end - 1]


def test_equal_windows_have_equal_averages_whatever_came_before():
    # What a running sum cannot do: after the spike it stays off by the digits that the spike pushed out.
    quiet = np.full(60, 0.1)
    spiked = np.concatenate(([1e9], quiet))
    assert sma(spiked, 10)[-1] == sma(quiet, 10)[-1]


@pytest.mark.parametrize("period", [1, 2, 7])
def test_averages_leave_their_input_alone(period: int):
    closes = random_walk(50, seed=3).close
    before = closes.copy()
    result = sma(closes, period)
    assert not np.shares_memory(result, closes)
    np.testing.assert_array_equal(closes, before)


def test_deviation_by_hand():
    # 2, 4, 6: mean 4, squares 4 + 0 + 4 of three. 4, 6, 11: mean 7, squares 9 + 1 + 16.
    found = deviation(np.array([2.0, 4.0, 6.0, 11.0]), 3)
    np.testing.assert_allclose(found, [np.nan, np.nan, (8 / 3) ** 0.5, (26 / 3) ** 0.5], rtol=1e-14)


@pytest.mark.parametrize("period", [2, 20, 200])
def test_deviation_agrees_with_talib(period: int):
    closes = random_walk(2_000, seed=1).close
    np.testing.assert_allclose(deviation(closes, period), talib.STDDEV(closes, timeperiod=period), rtol=1e-9)


@pytest.mark.parametrize("period", [5, 20, 200])
def test_deviation_forgets_what_left_its_window_to_the_last_bit(period: int):
    closes = np.round(random_walk(3_000, seed=2).close, 2)
    deviations = deviation(closes, period)
    for end in range(period, len(closes), 97):
        assert deviation(closes[end - period : end], period)[-1] == deviations[end - 1]
