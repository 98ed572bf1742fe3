"""What kind of market a candle belongs to."""

from __future__ import annotations

from enum import StrEnum


class MarketRegime(StrEnum):
    """The five regimes; `vela.engine.regime` classifies."""

    BULL_TREND = "bull_trend"
    BEAR_TREND = "bear_trend"
    SIDEWAYS_RANGE = "sideways_range"
    HIGH_VOLATILITY = "high_volatility"
    UNKNOWN = "unknown"
