"""Where candles and prices come from."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from vela.domain.candles import Candle
from vela.domain.events import MarketEnded, PricesMoved, SymbolCandle
from vela.domain.instrument import Instrument
from vela.domain.timeframe import Timeframe
from vela.domain.trading_symbol import TradingSymbol

# What a feed yields: new prices, candles as they came (not yet checked), or the end of a recording.
MarketEvent = PricesMoved | tuple[SymbolCandle, ...] | MarketEnded


class MarketData(Protocol):
    """A venue's public side, or a recording or a model of one."""

    @property
    def timeframe(self) -> Timeframe:
        """Length of the candles that `stream` yields."""
        ...

    def instruments(self) -> Sequence[Instrument]:
        """Return the trading rules of every symbol that is streamed."""
        ...

    async def history(self, symbol: TradingSymbol, before: int, count: int) -> Sequence[Candle]:
        """Return up to `count` candles that closed at or before `before` (ms UTC), oldest first, unchecked."""
        ...

    def stream(self) -> AsyncIterator[MarketEvent]:
        """Yield what happens, in order of time.

        Candles that closed at the same moment come together, after that moment's prices.
        """
        ...
