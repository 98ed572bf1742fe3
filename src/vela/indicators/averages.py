"""Moving averages."""

from __future__ import annotations

import numpy as np
import talib
from numpy.typing import NDArray

Series = NDArray[np.float64]


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
        total = np.zeros(count)
        for offset in range(period):
            total += values[offset : offset + count]
        averages[period - 1 :] = total / period
    return averages


def ema(values: Series, period: int) -> Series:
    """Return the exponential moving average with weight 2 / (period + 1), seeded with the first SMA.

    Args:
        values: shape `(n,)`, finite.
        period: at least 2.
    """
    return talib.EMA(values, timeperiod=period)
