"""What a feed needs of an exchange's sockets, and what it is told by them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from vela.domain.candles import Candle
from vela.domain.timeframe import Timeframe
from vela.domain.trading_symbol import TradingSymbol

PRICES = "prices"
CANDLES = "candles"


class Channel(NamedTuple):
    """One subscription: `kind` is `PRICES` or `CANDLES`, `number` tells those of a kind apart."""

    kind: str
    number: int
    symbols: tuple[TradingSymbol, ...]
    timeframe: Timeframe


class StreamListener(Protocol):
    """Hears the market. Nothing it does may raise."""

    def traded(self, symbol: TradingSymbol, price: float, time: int) -> None:
        """A trade of `time`, ms UTC."""
        ...

    def candle(self, symbol: TradingSymbol, candle: Candle, time: int, *, is_closed: bool) -> None:
        """A candle as it is at `time`, ms UTC; `is_closed` only if the exchange says so."""
        ...


class MarketStreams(Protocol):
    """An exchange's public sockets."""

    def channels(self, symbols: Sequence[TradingSymbol], timeframe: Timeframe) -> Sequence[Channel]:
        """Return the subscriptions that prices and candles of `symbols` need."""
        ...

    def listen(self, listener: StreamListener) -> None:
        """Tell `listener`, and nobody else, from now on."""
        ...

    async def hold(self, channel: Channel) -> None:
        """Subscribe, and never return.

        Raises:
            Exception: the connection is lost, or never was; whatever ccxt raises.
        """
        ...

    async def resubscribe(self, channel: Channel, symbols: Sequence[TradingSymbol]) -> None:
        """Ask anew for some symbols of a channel that is held.

        Raises:
            Exception: the connection is lost; whatever ccxt raises.
        """
        ...

    def reconnect(self, channel: Channel) -> None:
        """Drop the connection of a channel; `hold` raises."""
        ...


class CandleHistory(Protocol):
    """Asks an exchange for candles of the past."""

    async def page(
        self, symbol: TradingSymbol, timeframe: Timeframe, since: int | None, count: int
    ) -> Sequence[Candle]:
        """Return up to `count` candles that open at or after `since` (ms UTC; None: the newest), oldest first.

        Raises:
            VenueUnavailable: no answer that can be used.
        """
        ...
