"""Where candles are kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from vela.domain.candles import Candles
from vela.domain.timeframe import Timeframe
from vela.domain.trading_symbol import TradingSymbol


class StoredSeries(msgspec.Struct, frozen=True):
    """What is stored of one series. `first`, `last`: open times, ms UTC; `missing`: candles absent between them."""

    exchange: str
    symbol: TradingSymbol
    timeframe: Timeframe
    first: int
    last: int
    count: int
    missing: int


class CandleStore(Protocol):
    """Candles by exchange, symbol and timeframe. Writing the same candle again changes nothing."""

    def write(self, exchange: str, symbol: TradingSymbol, timeframe: Timeframe, candles: Candles) -> int:
        """Store candles (ascending), replacing those of the same open time; all or nothing per file.

        Returns:
            How many were new.

        Raises:
            StorageError: the store cannot be written.
        """
        ...

    def read(
        self,
        exchange: str,
        symbol: TradingSymbol,
        timeframe: Timeframe,
        *,
        before: int | None = None,
        count: int | None = None,
    ) -> Candles:
        """Return the newest `count` candles that closed at or before `before` (ms UTC), oldest first; possibly none.

        Raises:
            StorageError: a file cannot be read.
        """
        ...

    def series(self) -> Sequence[StoredSeries]:
        """List what is stored."""
        ...
