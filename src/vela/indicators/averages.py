"""Moving averages and the deviation around them."""

from __future__ import annotations

import numpy as np
import talib
from numpy.typing import NDArray

from vela.indicators.rolling import window_deviations, window_means

Series = NDArray[np.float64]


def sma(values: Series, period: int) -> Series:
    """Return the simple moving average, shape `(n,)`, NaN for the first `period - 1` values.

    Each value depends, to the last bit, on the `period` values it averages and on nothing before them.

    Args:
        values: shape `(n,)`, finite.
        period: number of values averaged, at least 1.
    """
    # A running sum (as TA-Lib's) carries the rounding of all values before: two averages that are equal would differ by
    # a last digit, and a crossing would be seen at another candle in a window than in a long history.
    averages: Series = window_means(values, period)
    return averages


def deviation(values: Series, period: int) -> Series:
    """Return the population standard deviation, shape `(n,)`, NaN for the first `period - 1` values.

    Like `sma`, each value depends on its own `period` values only, to the last bit.

    Args:
        values: shape `(n,)`, finite.
        period: number of values compared with their mean, at least 1.
    """
    deviations: Series = window_deviations(values, window_means(values, period), period)
    return deviations


def ema(values: Series, period: int) -> Series:
    """Return the exponential moving average with weight 2 / (period + 1), seeded with the first SMA.

    Args:
        values: shape `(n,)`, finite.
        period: at least 2.
    """
    return talib.EMA(values, timeperiod=period)
