from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from tests.builders import random_walk

from vela.indicators.averages import ema
from vela.indicators.momentum import macd, rsi

# The worked example that goes round with Wilder's method, 14 periods.
CLOSES = [
    *(44.3389, 44.0902, 44.1497, 43.6124, 44.3278, 44.8264, 45.0955, 45.4245, 45.8433, 46.0826),
    *(45.8931, 46.0328, 45.6140, 46.2820, 46.2820, 46.0028, 46.0328, 46.4116, 46.2222, 45.6439),
]
EXPECTED = [70.53, 66.32, 66.55, 69.41, 66.36, 57.97]


def wilder(closes: list[float], period: int) -> list[float]:
    changes = [Fraction(b) - Fraction(a) for a, b in pairwise(closes)]
    gain = sum((max(change, Fraction(0)) for change in changes[:period]), Fraction(0)) / period
    loss = sum((max(-change, Fraction(0)) for change in changes[:period]), Fraction(0)) / period
    index = [100 * gain / (gain + loss)]
    for change in changes[period:]:
        gain = (gain * (period - 1) + max(change, Fraction(0))) / period
        loss = (loss * (period - 1) + max(-change, Fraction(0))) / period
        index.append(100 * gain / (gain + loss))
    return [float(value) for value in index]


def test_the_worked_example():
    np.testing.assert_allclose(rsi(np.array(CLOSES), 14)[14:], EXPECTED, atol=0.006)


@pytest.mark.parametrize("period", [2, 5, 14])
def test_wilders_own_arithmetic(period: int):
    closes = random_walk(60, seed=4).close
    index = rsi(closes, period)
    assert np.isnan(index[:period]).all()
    np.testing.assert_allclose(index[period:], wilder(closes.tolist(), period), rtol=1e-11)


def test_only_gains_and_only_losses_are_the_ends_of_the_scale():
    rising = np.arange(1.0, 40.0)
    assert set(rsi(rising, 14)[14:]) == {100.0}
    assert set(rsi(rising[::-1].copy(), 14)[14:]) == {0.0}


@pytest.mark.parametrize("count", [0, 1, 14])
def test_too_few_values_leave_it_undefined(count: int):
    index = rsi(np.arange(1.0, count + 1.0), 14)
    assert index.shape == (count,)
    assert np.isnan(index).all()


def test_macd_by_hand():
    # Slow average of 3: seed (1 + 2 + 4) / 3 = 7/3, then 14/3 and 47/6. Fast average of 2, seeded at the same candle:
    # (2 + 4) / 2 = 3, then 17/3 and 83/9. Differences 2/3, 1, 25/18; signal (2/3 + 1) / 2 = 5/6, then 65/54.
    line, signal = macd(np.array([1.0, 2.0, 4.0, 7.0, 11.0]), 2, 3, 2)
    np.testing.assert_allclose(line, [np.nan] * 3 + [1.0, 25 / 18], rtol=1e-14)
    np.testing.assert_allclose(signal, [np.nan] * 3 + [5 / 6, 65 / 54], rtol=1e-14)


def test_macd_is_the_difference_of_two_averages_once_their_seeds_are_forgotten():
    closes = random_walk(900, seed=5).close
    line, _ = macd(closes, 12, 26, 9)
    np.testing.assert_allclose(line[600:], (ema(closes, 12) - ema(closes, 26))[600:], rtol=0, atol=1e-11)


@pytest.mark.parametrize("count", [0, 1, 33])
def test_too_few_values_leave_the_macd_undefined(count: int):
    lines = macd(np.arange(1.0, count + 1.0), 12, 26, 9)
    assert [line.shape for line in lines] == [(count,)] * 2
    assert np.isnan(lines).all()
