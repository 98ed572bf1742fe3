"""The venue behind every dialect: the market that is played, the exchange that trades on it, and who listens."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from vela.domain.candles import Candle
from vela.domain.events import MarketEnded, PricesMoved, SymbolCandle, Tick
from vela.domain.trading_symbol import TradingSymbol
from vela.ports.clock import Clock
from vela.ports.market_data import MarketData, MarketEvent
from vela.simulation.spot_exchange import Phase, SpotExchange
from vela.simulation.spot_orders import SpotEvent
from vela.venue.clock import VenueClock
from vela.venue.queries import Queries
from vela.venue.tape import PublicTrade, Tape, Tapes

_HISTORY = 1000  # candles at hand from the start

_OfSymbol = TypeVar("_OfSymbol", SymbolCandle, Tick)


class Listener:
    """Told what happens at the venue; every method does nothing until it is overridden."""

    def traded(self, symbol: TradingSymbol, trades: Sequence[PublicTrade]) -> None:
        """The market moved, with these trades."""

    def closed(self, symbol: TradingSymbol, candle: Candle) -> None:
        """A candle closed."""

    def book_changed(self, symbol: TradingSymbol) -> None:
        """Prices or quantities on offer changed."""

    def account_changed(self, events: Sequence[SpotEvent]) -> None:
        """These things happened to orders, oldest first."""

    def disconnected(self) -> None:
        """Every client's connection is to be cut."""

    def logged_out(self) -> None:
        """What clients opened to hear of the account has expired; connections stay."""


class Venue:
    """One exchange, one account, one market.

    Two times: the market's, in which candles and public trades lie, and the venue's (`clock`), which stamps everything
    else and against which requests are checked. They agree where the market is played at life speed from now on.
    """

    def __init__(self, exchange: SpotExchange, tapes: Tapes, clock: VenueClock) -> None:
        """Open for business; `play` moves the market."""
        self.exchange = exchange
        self.tapes = tapes
        self.clock = clock
        self.queries = Queries(exchange, clock)
        self._listeners: list[Listener] = []
        self._published = 0

    def listen(self, listener: Listener) -> None:
        """Tell `listener` from now on."""
        self._listeners.append(listener)

    async def play(self, market: MarketData) -> None:
        """Follow the market to its end; afterwards its last prices stand."""
        async for event in market.stream():
            self.take(event)

    def take(self, event: MarketEvent, share: float | None = None) -> None:
        """Follow the market by one event; `share`: which part of a candle's volume was traded, see `Tape.move`."""
        if isinstance(event, PricesMoved):
            self._on_prices(event, share)
        elif not isinstance(event, MarketEnded):
            self._on_candles(event)

    def publish(self, symbol: TradingSymbol | None = None) -> None:
        """Tell the listeners what happened since the last call; `symbol`: whose book may have changed."""
        events = self.exchange.log[self._published :]
        self._published += len(events)
        changed = {event.order.request.symbol for event in events} | ({symbol} if symbol is not None else set())
        for listener in self._listeners:
            if events:
                listener.account_changed(events)
            for one in sorted(changed):
                listener.book_changed(one)

    def disconnect(self) -> None:
        """Cut every connection that stands."""
        for listener in self._listeners:
            listener.disconnected()

    def log_out(self) -> None:
        """Let everything expire that clients opened to hear of the account."""
        for listener in self._listeners:
            listener.logged_out()

    def _on_prices(self, event: PricesMoved, share: float | None) -> None:
        for moved in self._listed(event.ticks):
            tape = self.tapes[moved.symbol]
            tick = tape.measured(moved)
            traded, trades = tape.move(tick, event.time, share)
            self.exchange.on_tick(tick, self.clock.now(), traded)
            self.publish(tick.symbol)
            if tick.jump:  # the candle before it is about to close: that comes first
                continue
            for listener in self._listeners:
                listener.traded(tick.symbol, trades)

    def _on_candles(self, rows: Sequence[SymbolCandle]) -> None:
        for row in self._listed(self.tapes.close(rows)):
            for listener in self._listeners:
                listener.closed(row.symbol, row.candle)

    def _listed(self, things: Iterable[_OfSymbol]) -> list[_OfSymbol]:
        return [thing for thing in things if self.exchange.phase(thing.symbol) is not Phase.DELISTED]


async def open_venue(market: MarketData, exchange: SpotExchange, start: int, clock: Clock) -> Venue:
    """Return a venue on `market`, with the candles at hand that closed before `start` (ms UTC)."""
    tapes = [
        Tape(instrument, market.timeframe, await market.history(instrument.symbol, start, _HISTORY))
        for instrument in exchange.instruments.values()
    ]
    return Venue(exchange, Tapes(tapes, market.timeframe), VenueClock(clock))
