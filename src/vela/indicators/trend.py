"""Strength and direction of a trend, and width of the range."""

from __future__ import annotations

import talib

from vela.indicators.averages import Series


def adx(high: Series, low: Series, close: Series, period: int) -> Series:
    """Return Wilder's average directional index in 0–100, shape `(n,)`, NaN for the first `2 * period - 1` values.

    Source: J. Welles Wilder, New Concepts in Technical Trading Systems (1978).
    """
    return talib.ADX(high, low, close, timeperiod=period)


def directional_indicators(high: Series, low: Series, close: Series, period: int) -> tuple[Series, Series]:
    """Return Wilder's DI+ and DI- in 0–100, each shape `(n,)`, NaN for the first `period` values.

    Source: J. Welles Wilder, New Concepts in Technical Trading Systems (1978).
    """
    plus = talib.PLUS_DI(high, low, close, timeperiod=period)
    return plus, talib.MINUS_DI(high, low, close, timeperiod=period)


def atr(high: Series, low: Series, close: Series, period: int) -> Series:
    """Return Wilder's average true range in price units, shape `(n,)`, NaN for the first `period` values.

    Source: J. Welles Wilder, New Concepts in Technical Trading Systems (1978).
    """
    return talib.ATR(high, low, close, timeperiod=period)
