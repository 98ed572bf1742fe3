"""Moving averages."""

from __future__ import annotations

import numpy as np
import talib
from numpy.typing import NDArray

Series = NDArray[np.float64]


def sma(values: Series, period: int) -> Series:
    """Return the simple moving average, shape `(n,)`, NaN for the first `period - 1` values.

    Args:
        values: shape `(n,)`, finite.
        period: number of values averaged, at least 1.
    """
    if period == 1 or len(values) < period:
        return values.copy() if period == 1 else np.full(len(values), np.nan)
    return talib.SMA(values, timeperiod=period)


def ema(values: Series, period: int) -> Series:
    """Return the exponential moving average with weight 2 / (period + 1), seeded with the first SMA.

    Args:
        values: shape `(n,)`, finite.
        period: at least 2.
    """
    return talib.EMA(values, timeperiod=period)
