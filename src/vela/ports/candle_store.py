"""Where candles are kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import msgspec

from vela.domain.candles import Candles
from vela.domain.gaps import Gap
from vela.domain.timeframe import Timeframe
from vela.domain.trading_symbol import TradingSymbol


class StoredSeries(msgspec.Struct, frozen=True):
    """What is stored of one series.

    `first`, `last`: open times, ms UTC; `missing`: candles absent between them; `size`: bytes, None: unknown.
    """

    exchange: str
    symbol: TradingSymbol
    timeframe: Timeframe
    first: int
    last: int
    count: int
    missing: int
    size: int | None = None


class Written(NamedTuple):
    """What a write changed. `new`: were not there; `replaced`: were there with other values, which are gone."""

    new: int
    replaced: int


class CandleStore(Protocol):
    """Candles by exchange, symbol and timeframe. Writing the same candle again changes nothing.

    Several processes may write the same series; nobody ever reads half of what one of them wrote.
    """

    def write(
        self,
        exchange: str,
        symbol: TradingSymbol,
        timeframe: Timeframe,
        candles: Candles,
        *,
        stored_wins: bool = False,
    ) -> Written:
        """Store candles, month by month; of a month all or none.

        Args:
            exchange: the venue they come from, as in a folder's name.
            symbol: whose they are.
            timeframe: how long each lasts.
            candles: usable ones (see `candle_fault`), open times strictly ascending.
            stored_wins: which of two with the same open time stays: the stored one, or else the one written now.

        Raises:
            CandleError: one of the candles is unusable, or they do not ascend; then none is stored.
            StorageError: the store cannot be written, or holds something else in that place.
        """
        ...

    def read(
        self,
        exchange: str,
        symbol: TradingSymbol,
        timeframe: Timeframe,
        *,
        since: int | None = None,
        before: int | None = None,
        count: int | None = None,
    ) -> Candles:
        """Return the newest `count` candles that open at or after `since` and closed at or before `before` (ms UTC).

        They are sorted, oldest first; possibly none. Only the months that hold them are read.

        Raises:
            StorageError: a file cannot be read, or holds something else.
        """
        ...

    def gaps(
        self,
        exchange: str,
        symbol: TradingSymbol,
        timeframe: Timeframe,
        start: int | None = None,
        end: int | None = None,
    ) -> Sequence[Gap]:
        """List the candles that are absent and would open from `start` to before `end` (ms UTC), oldest first.

        Without `start` from the first candle that is stored, without `end` up to the last.

        Raises:
            StorageError: a file cannot be read.
        """
        ...

    def series(self) -> Sequence[StoredSeries]:
        """List what is stored, by exchange, symbol and timeframe.

        Raises:
            StorageError: a file cannot be read.
        """
        ...
