"""Which regime a market is in: one rule, for arrays and for one candle at a time.

High volatility: ATR14 above 8 % of the close; else a trend where ADX14 is at least 25, up or down as the close stands
to EMA200; else a range. Unknown before 200 candles.
"""

from __future__ import annotations

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


def classify(close: float, average: float, strength: float, true_range: float) -> MarketRegime:
    """Return the regime for one candle's close, EMA200, ADX14 and ATR14 (all finite)."""
    if true_range > ATR_HIGH_VOLATILITY * close:
        return MarketRegime.HIGH_VOLATILITY
    if strength >= ADX_TREND and close != average:
        return MarketRegime.BULL_TREND if close > average else MarketRegime.BEAR_TREND
    return MarketRegime.SIDEWAYS_RANGE


def classify_all(candles: Candles) -> list[MarketRegime]:
    """Return the regime of every candle."""
    columns = (
        candles.close,
        ema(candles.close, EMA_PERIOD),
        adx(candles.high, candles.low, candles.close, ADX_PERIOD),
        atr(candles.high, candles.low, candles.close, ATR_PERIOD),
    )
    rows = zip(*(column.tolist() for column in columns), strict=True)
    known = [classify(*row) for index, row in enumerate(rows) if index >= EMA_PERIOD - 1]
    return [MarketRegime.UNKNOWN] * min(len(candles), EMA_PERIOD - 1) + known


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
        self.regime = classify(
            candle.close,
            self._average.update(candle.close),
            self._strength.update(candle.high, candle.low, candle.close),
            self._true_range.update(candle.high, candle.low, candle.close),
        )
        return self.regime

    def _begin(self) -> None:
        first = Candles.from_rows(self._waiting)
        self._average, _ = stream.EMA.open_and_fill(first.close, timeperiod=EMA_PERIOD)
        self._strength, _ = stream.ADX.open_and_fill(first.high, first.low, first.close, timeperiod=ADX_PERIOD)
        self._true_range, _ = stream.ATR.open_and_fill(first.high, first.low, first.close, timeperiod=ATR_PERIOD)
        self.regime = classify(
            float(first.close[-1]), self._average.value, self._strength.value, self._true_range.value
        )
        self._waiting.clear()
