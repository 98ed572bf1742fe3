"""Momentum oscillators."""

from __future__ import annotations

import talib

from vela.indicators.averages import Series


def rsi(values: Series, period: int) -> Series:
    """Return Wilder's relative strength index in 0–100, shape `(n,)`, NaN for the first `period` values.

    Source: J. Welles Wilder, New Concepts in Technical Trading Systems (1978).
    """
    return talib.RSI(values, timeperiod=period)
