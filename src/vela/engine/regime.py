"""Which regime a market is in: one rule, for arrays and for one candle at a time.

High volatility: ATR14 above 8 % of the close; else a trend where ADX14 is at least 25, up or down as the close stands
to EMA200; else a range. Unknown before 200 candles.
"""

from __future__ import annotations

import numba
import numpy as np
from numba.extending import register_jitable
from numpy.typing import NDArray
from talib import stream

from vela.domain.candles import Candle, Candles
from vela.domain.regime import MarketRegime
from vela.indicators.averages import ema
from vela.indicators.trend import adx, atr

EMA_PERIOD = 200
ADX_PERIOD = 14
ATR_PERIOD = 14
ADX_TREND = 25.0
ATR_HIGH_VOLATILITY = 0.08


REGIMES = tuple(MarketRegime)
"""The regimes in the order of their numbers."""

BULL_TREND, BEAR_TREND, SIDEWAYS_RANGE, HIGH_VOLATILITY, UNKNOWN = range(len(REGIMES))


def classify(close: float, average: float, strength: float, true_range: float) -> int:
    """Return the regime's number for one candle's close, EMA200, ADX14 and ATR14 (all finite)."""
    if true_range > ATR_HIGH_VOLATILITY * close:
        return HIGH_VOLATILITY
    if strength >= ADX_TREND and close != average:
        return BULL_TREND if close > average else BEAR_TREND
    return SIDEWAYS_RANGE


register_jitable(classify)


@numba.njit(cache=True)
def _classify_rows(close, average, strength, true_range, first):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202  typed by its arguments
    numbers = np.full(close.shape[0], UNKNOWN, dtype=np.int8)
    for i in range(first, close.shape[0]):
        numbers[i] = classify(close[i], average[i], strength[i], true_range[i])
    return numbers


def classify_all(candles: Candles) -> NDArray[np.int8]:
    """Return the number of the regime (its place in `REGIMES`) at every candle's close, shape `(n,)`."""
    numbers: NDArray[np.int8] = _classify_rows(
        candles.close,
        ema(candles.close, EMA_PERIOD),
        adx(candles.high, candles.low, candles.close, ADX_PERIOD),
        atr(candles.high, candles.low, candles.close, ATR_PERIOD),
        EMA_PERIOD - 1,
    )
    return numbers


class RegimeTracker:
    """Follows one symbol's regime candle by candle; bit for bit what `classify_all` says of the same candles."""

    def __init__(self) -> None:
        """Start without candles."""
        self.regime = MarketRegime.UNKNOWN
        self._waiting: list[Candle] = []
        self._average: stream.EMA | None = None
        self._strength: stream.ADX | None = None
        self._true_range: stream.ATR | None = None

    def update(self, candle: Candle) -> MarketRegime:
        """Take the next candle and return the regime at its close."""
        if self._average is None or self._strength is None or self._true_range is None:
            self._waiting.append(candle)
            if len(self._waiting) == EMA_PERIOD:
                self._begin()
            return self.regime
        number = classify(
            candle.close,
            self._average.update(candle.close),
            self._strength.update(candle.high, candle.low, candle.close),
            self._true_range.update(candle.high, candle.low, candle.close),
        )
        self.regime = REGIMES[number]
        return self.regime

    def _begin(self) -> None:
        first = Candles.from_rows(self._waiting)
        self._average, _ = stream.EMA.open_and_fill(first.close, timeperiod=EMA_PERIOD)
        self._strength, _ = stream.ADX.open_and_fill(first.high, first.low, first.close, timeperiod=ADX_PERIOD)
        self._true_range, _ = stream.ATR.open_and_fill(first.high, first.low, first.close, timeperiod=ATR_PERIOD)
        number = classify(float(first.close[-1]), self._average.value, self._strength.value, self._true_range.value)
        self.regime = REGIMES[number]
        self._waiting.clear()
