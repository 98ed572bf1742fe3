"""Buying weakness and selling strength by the relative strength index."""

from __future__ import annotations

from vela.domain.candles import Candles
from vela.domain.errors import StrategyError
from vela.domain.signal import Signals
from vela.domain.trading_symbol import TradingSymbol
from vela.indicators.momentum import rsi
from vela.strategies.base import RANGES, Strategy, param
from vela.strategies.memory import candles_to_forget, wilder_keeps


class RsiMeanReversion(Strategy):
    """Buy while the RSI is below `oversold`, sell while it is above `overbought`.

    The levels may hold for many candles; the risk gate, not the strategy, prevents a second entry.
    Source: J. Welles Wilder, New Concepts in Technical Trading Systems (1978).
    """

    suits = RANGES

    period: int = param(14, low=5, high=50)
    oversold: float = param(30.0, low=5.0, high=45.0)
    overbought: float = param(70.0, low=55.0, high=95.0)

    @property
    def warmup(self) -> int:
        """The seed, and as many candles as make it vanish from Wilder's smoothing."""
        return self.period + candles_to_forget(wilder_keeps(self.period))

    def analyze(self, symbol: TradingSymbol, candles: Candles) -> Signals:  # noqa: ARG002  the same for every symbol
        """Return where the index is beyond its levels; series `rsi`."""
        index = rsi(candles.close, self.period)
        return Signals(index < self.oversold, index > self.overbought, series={"rsi": index})

    def validate(self) -> None:
        """Refuse levels that overlap."""
        if self.oversold >= self.overbought:
            raise StrategyError(
                f"RsiMeanReversion.oversold was {self.oversold} and overbought {self.overbought}; "
                "accepted: oversold below overbought"
            )
