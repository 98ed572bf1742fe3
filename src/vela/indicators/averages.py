"""Moving averages and the deviation around them."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import talib
from numpy.typing import NDArray

Series = NDArray[np.float64]

# For few values one gathering costs less than a loop of Python; for many it would cost memory.
_GATHERED_AT_MOST = 20_000


def sma(values: Series, period: int) -> Series:
    """Return the simple moving average, shape `(n,)`, NaN for the first `period - 1` values.

    Each value depends, to the last bit, on the `period` values it averages and on nothing before them.

    Args:
        values: shape `(n,)`, finite.
        period: number of values averaged, at least 1.
    """
    averages = np.full(len(values), np.nan)
    count = len(values) - period + 1
    if count > 0:
        # A running sum (as TA-Lib's) carries the rounding of all values before: two averages that are equal would
        # differ by a last digit, and a crossing would be seen at another candle in a window than in a long history.
        averages[period - 1 :] = _sums(lambda rows: values[rows], period, count) / period
    return averages


def deviation(values: Series, period: int) -> Series:
    """Return the population standard deviation, shape `(n,)`, NaN for the first `period - 1` values.

    Like `sma`, each value depends on its own `period` values only, to the last bit.

    Args:
        values: shape `(n,)`, finite.
        period: number of values compared with their mean, at least 1.
    """
    deviations = np.full(len(values), np.nan)
    count = len(values) - period + 1
    if count > 0:
        mean = sma(values, period)[period - 1 :]
        squares = _sums(lambda rows: np.square(values[rows] - mean), period, count)
        deviations[period - 1 :] = np.sqrt(squares / period)
    return deviations


def _sums(term: Callable[[slice | NDArray[np.int64]], Series], period: int, count: int) -> Series:
    # Both ways add the terms of a window one after the other, oldest first, so that they agree to the last bit.
    if count * period <= _GATHERED_AT_MOST:
        running: Series = np.add.accumulate(term(_windows(period, count)), axis=0)  # unlike sum, always in order
        newest: Series = running[-1]
        return newest
    total = np.zeros(count)
    for offset in range(period):
        total += term(slice(offset, offset + count))
    return total


@lru_cache(maxsize=256)
def _windows(period: int, count: int) -> NDArray[np.int64]:
    return np.arange(period)[:, np.newaxis] + np.arange(count)


def ema(values: Series, period: int) -> Series:
    """Return the exponential moving average with weight 2 / (period + 1), seeded with the first SMA.

    Args:
        values: shape `(n,)`, finite.
        period: at least 2.
    """
    return talib.EMA(values, timeperiod=period)
