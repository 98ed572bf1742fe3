"""Momentum oscillators."""

from __future__ import annotations

import talib

from vela.indicators.averages import Series


def rsi(values: Series, period: int) -> Series:
    """Return Wilder's relative strength index in 0–100, shape `(n,)`, NaN for the first `period` values.

    Source: J. Welles Wilder, New Concepts in Technical Trading Systems (1978).
    """
    return talib.RSI(values, timeperiod=period)


def macd(values: Series, fast: int, slow: int, signal: int) -> tuple[Series, Series]:
    """Return the MACD line and its signal line, each shape `(n,)`, NaN for the first `slow + signal - 2` values.

    The line is EMA(fast) - EMA(slow), the signal line its EMA. Seeding is TA-Lib's: both averages begin at the
    row `slow - 1`, each with the SMA of its newest values there.

    Source: Gerald Appel, The Moving Average Convergence-Divergence Trading Method (1979).
    """
    line, smoothed, _ = talib.MACD(values, fastperiod=fast, slowperiod=slow, signalperiod=signal)
    return line, smoothed
