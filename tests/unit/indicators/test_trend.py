from __future__ import annotations

import numpy as np
import pytest
from tests.builders import random_walk

from vela.domain.candles import Candles
from vela.indicators.trend import adx, atr, directional_indicators


def movements(c: Candles, row: int) -> tuple[float, float, float]:
    up, down = c.high[row] - c.high[row - 1], c.low[row - 1] - c.low[row]
    width = max(c.high[row], c.close[row - 1]) - min(c.low[row], c.close[row - 1])
    return (up if up > down and up > 0 else 0.0, down if down > up and down > 0 else 0.0, width)


def wilder_adx(c: Candles, period: int) -> list[float]:
    sums = [0.0, 0.0, 0.0]
    for row in range(1, period):
        sums = [total + new for total, new in zip(sums, movements(c, row), strict=True)]
    strength: list[float] = []
    directional: list[float] = []
    for row in range(period, len(c)):
        sums = [total - total / period + new for total, new in zip(sums, movements(c, row), strict=True)]
        plus, minus = 100 * sums[0] / sums[2], 100 * sums[1] / sums[2]
        directional.append(100 * abs(plus - minus) / (plus + minus))
        if len(directional) == period:
            strength.append(sum(directional) / period)
        elif len(directional) > period:
            strength.append((strength[-1] * (period - 1) + directional[-1]) / period)
    return strength


@pytest.mark.parametrize("period", [3, 14])
def test_adx_against_wilders_arithmetic(period: int):
    candles = random_walk(120, seed=5)
    strength = adx(candles.high, candles.low, candles.close, period)
    assert np.isnan(strength[: 2 * period - 1]).all()
    np.testing.assert_allclose(strength[2 * period - 1 :], wilder_adx(candles, period), rtol=1e-9)


@pytest.mark.parametrize("step", [1.0, -1.0])
def test_a_straight_line_is_the_strongest_trend(step: float):
    close = 200.0 + step * np.arange(100.0)
    np.testing.assert_allclose(adx(close + 0.5, close - 0.5, close, 14)[27:], 100.0)


def test_a_standing_market_has_no_trend_and_its_own_width():
    close = np.full(60, 100.0)
    assert set(adx(close + 1, close - 1, close, 14)[27:]) == {0.0}
    assert set(atr(close + 1, close - 1, close, 14)[14:]) == {2.0}


def test_atr_by_hand():
    high = np.array([10.0, 12.0, 11.0, 15.0, 14.0])
    low = np.array([9.0, 10.0, 10.0, 12.0, 8.0])
    close = np.array([9.5, 11.0, 10.0, 14.0, 9.0])
    # True ranges from the second candle on, gaps from the close before included: 2.5, 1, 5, 6.
    # Seed (2.5 + 1 + 5) / 3 = 17/6, then (2 × 17/6 + 6) / 3 = 35/9.
    np.testing.assert_allclose(atr(high, low, close, 3), [np.nan, np.nan, np.nan, 17 / 6, 35 / 9], rtol=1e-14)


@pytest.mark.parametrize("count", [0, 1, 14, 27])
def test_too_few_candles_leave_them_undefined(count: int):
    c = random_walk(28, seed=6).slice(0, count)
    assert np.isnan(adx(c.high, c.low, c.close, 14)).all()
    assert np.isnan(atr(c.high, c.low, c.close, 14)[:14]).all()


@pytest.mark.parametrize("period", [3, 14])
def test_directional_indicators_against_wilders_arithmetic(period: int):
    candles = random_walk(120, seed=5)
    plus, minus = directional_indicators(candles.high, candles.low, candles.close, period)
    sums = [sum(column) for column in zip(*(movements(candles, row) for row in range(1, period)), strict=True)]
    assert np.isnan([plus[:period], minus[:period]]).all()
    for row in range(period, 120):
        sums = [total - total / period + new for total, new in zip(sums, movements(candles, row), strict=True)]
        assert plus[row] == pytest.approx(100 * sums[0] / sums[2], rel=1e-9)
        assert minus[row] == pytest.approx(100 * sums[1] / sums[2], rel=1e-9)


def test_directional_indicators_by_hand():
    # Highs up by 2 then lows down by 3, closes in the middle; true ranges 3 and 5. Period 2: sums 2, 0, 3, then
    # 2 - 2/2 + 0 = 1, 0 - 0 + 3 = 3 and 3 - 3/2 + 5 = 6.5.
    high, low, close = np.array([10.0, 12.0, 11.0]), np.array([8.0, 9.0, 6.0]), np.array([9.0, 11.0, 8.0])
    plus, minus = directional_indicators(high, low, close, 2)
    np.testing.assert_allclose([plus[2], minus[2]], [100 * 1 / 6.5, 100 * 3 / 6.5], rtol=1e-14)
