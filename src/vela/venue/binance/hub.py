"""Who listens to which stream, and what is sent there when something happens at the venue."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

import orjson

from vela.domain.candles import Candle
from vela.domain.trading_symbol import TradingSymbol
from vela.simulation.spot_orders import SpotEvent, SpotEventKind
from vela.venue.binance.desk import Desk
from vela.venue.binance.errors import BinanceError
from vela.venue.binance.public import interval_ms
from vela.venue.binance.shapes import Shape, account_position, execution_report, list_status
from vela.venue.binance.stream_shapes import (
    aggregate_message,
    kline_message,
    mini_ticker_message,
    ticker_message,
    trade_message,
)
from vela.venue.faulty_messages import FaultyMessages
from vela.venue.tape import PublicTrade
from vela.venue.venue import Listener

_MOST_WAITING = 10_000
_KLINE = "kline_"
_PARTIAL = {f"depth{levels}{speed}": levels for levels in (5, 10, 20) for speed in ("", "@100ms", "@1000ms")}
_CHANGES = ("depth", "depth@100ms", "depth@1000ms")
_OF_THE_BOOK = {"bookTicker", *_CHANGES, *_PARTIAL}


class Connection:
    """One client's socket, seen from here: what waits to be sent there. None ends it."""

    def __init__(self, faults: FaultyMessages, cut: Callable[[], None], *, is_combined: bool = False) -> None:
        """`cut` ends it without a word. `is_combined`: messages carry the name of their stream."""
        self.cut = cut
        self.waiting: asyncio.Queue[str | None] = asyncio.Queue(_MOST_WAITING)
        self.is_combined = is_combined
        self.streams: dict[str, None] = {}
        self.account_streams: dict[int, None] = {}  # subscriptions of the WebSocket API
        self._faults = faults

    def send(self, stream: str, event: str, shape: Shape) -> None:
        """Send a message of `stream`, through the faults."""
        for text in self._faults.through((stream, event), orjson.dumps(shape).decode()):
            self.put(text)

    def put(self, text: str) -> None:
        """Send a text as it is."""
        if self.waiting.full():  # it does not read: a real venue lets go of it, too
            while not self.waiting.empty():
                self.waiting.get_nowait()
            self.waiting.put_nowait(None)
            return
        self.waiting.put_nowait(text)


class Hub(Listener):
    """Turns what happens at the venue into messages."""

    def __init__(self, desk: Desk) -> None:
        """Speak for `desk`."""
        self._desk = desk
        self._connections: dict[Connection, None] = {}
        self._listening: defaultdict[str, dict[Connection, None]] = defaultdict(dict)

    def join(self, connection: Connection) -> None:
        """Take a connection in."""
        self._connections[connection] = None

    def leave(self, connection: Connection) -> None:
        """Let go of a connection."""
        self.unsubscribe(connection, list(connection.streams))
        self._connections.pop(connection, None)

    def subscribe(self, connection: Connection, streams: Iterable[str]) -> None:
        """Send those streams there from now on; names that are no streams stay quiet."""
        for stream in streams:
            connection.streams[stream] = None
            self._listening[stream][connection] = None

    def unsubscribe(self, connection: Connection, streams: Iterable[str]) -> None:
        """Send those streams there no longer."""
        for stream in streams:
            connection.streams.pop(stream, None)
            self._listening[stream].pop(connection, None)
            if not self._listening[stream]:
                del self._listening[stream]

    def disconnected(self) -> None:
        """See `Listener.disconnected`."""
        for connection in list(self._connections):
            connection.cut()

    # ------------------------------------------------------------------------------------------------ the market

    def traded(self, symbol: TradingSymbol, trades: Sequence[PublicTrade]) -> None:
        """See `Listener.traded`."""
        now = self._desk.now()
        for stream, kind in self._streams_of(symbol):
            if kind == "trade":
                for trade in trades:
                    self._send(stream, trade_message(symbol, trade, now))
            elif kind == "aggTrade":
                for trade in trades:
                    self._send(stream, aggregate_message(symbol, trade, now))
            elif kind == "miniTicker":
                self._send(stream, mini_ticker_message(self._desk, symbol))
            elif kind == "ticker":
                self._send(stream, ticker_message(self._desk, symbol))
            elif kind.startswith(_KLINE):
                self._send_kline(stream, symbol, kind.removeprefix(_KLINE))

    def closed(self, symbol: TradingSymbol, candle: Candle) -> None:
        """See `Listener.closed`."""
        for stream, kind in self._streams_of(symbol):
            if kind.startswith(_KLINE):
                self._send_kline(stream, symbol, kind.removeprefix(_KLINE), closed=candle)

    def book_changed(self, symbol: TradingSymbol) -> None:
        """See `Listener.book_changed`."""
        streams = [(stream, kind) for stream, kind in self._streams_of(symbol) if kind in _OF_THE_BOOK]
        changes = self._desk.depths.changes(symbol, self._desk.now()) if streams else None
        if changes is None:
            return
        for stream, kind in streams:
            if kind in _CHANGES:
                self._send(stream, changes)
            elif kind == "bookTicker":
                self._send(stream, self._desk.depths.ticker(symbol))
            else:
                self._send(stream, self._desk.depths.snapshot(symbol, _PARTIAL[kind]))

    def _send_kline(self, stream: str, symbol: TradingSymbol, interval: str, closed: Candle | None = None) -> None:
        market = self._desk.venue.tapes.timeframe
        try:
            length = interval_ms(interval, market)
        except BinanceError:
            return
        tape, now = self._desk.tape(symbol), self._desk.now()
        if closed is None:
            row = tape.newest(length)
        else:
            # A candle made of several closes with the last of them.
            opens, ends = closed.open_time // length * length, closed.open_time + market.milliseconds
            row = tape.candles(length, since=opens, until=opens)[-1] if ends % length == 0 else None
        if row is not None:
            is_closed = closed is not None
            self._send(stream, kline_message(symbol, row, interval, length, now, is_closed=is_closed))

    def _streams_of(self, symbol: TradingSymbol) -> list[tuple[str, str]]:
        start = f"{symbol.to_lower()}@"
        return [(stream, stream.removeprefix(start)) for stream in self._listening if stream.startswith(start)]

    def _send(self, stream: str, shape: Shape) -> None:
        event = str(shape.get("e", stream.partition("@")[2]))
        combined: Shape = {"stream": stream, "data": shape}
        for connection in list(self._listening.get(stream, ())):
            connection.send(stream, event, combined if connection.is_combined else shape)

    # ----------------------------------------------------------------------------------------------- the account

    def account_changed(self, events: Sequence[SpotEvent]) -> None:
        """See `Listener.account_changed`."""
        for shape in self._account_messages(events):
            event = str(shape["e"])
            for stream in [name for name in self._listening if self._desk.listen_keys.is_valid(name, self._desk.now())]:
                self._send(stream, shape)
            for connection in list(self._connections):
                for number in connection.account_streams:
                    connection.send(event, event, {"subscriptionId": number, "event": shape})

    def logged_out(self) -> None:
        """See `Listener.logged_out`."""
        now = self._desk.now()
        for key in self._desk.listen_keys.end(now):
            self._send(key, {"e": "listenKeyExpired", "E": now, "listenKey": key})
        ended: Shape = {"e": "eventStreamTerminated", "E": now}
        for connection in list(self._connections):
            for number in connection.account_streams:
                connection.send(str(ended["e"]), str(ended["e"]), {"subscriptionId": number, "event": ended})
            connection.account_streams.clear()

    def _account_messages(self, events: Sequence[SpotEvent]) -> list[Shape]:
        now, exchange = self._desk.now(), self._desk.exchange
        pairs = [exchange.pairs[number] for number in dict.fromkeys(event.order.list_id for event in events) if number]
        statuses = [
            list_status(pair, exchange.orders, events[-1].time, now)
            for pair in pairs
            if _begins_or_ends(pair.order_ids, events)
        ]
        reports = [execution_report(event, now) for event in events]
        assets = sorted({asset for event in events for asset in _assets(event)})
        held = exchange.balances()
        position = account_position(held, [asset for asset in assets if asset in held], events[-1].time, now)
        return [*statuses, *reports, position]


def _assets(event: SpotEvent) -> set[str]:
    symbol = event.order.request.symbol
    fee = set() if event.trade is None else {event.trade.fill.fee_asset}
    return {symbol.base, symbol.quote.value} | fee


def _begins_or_ends(order_ids: tuple[int, int], events: Sequence[SpotEvent]) -> bool:
    own = [event for event in events if event.order.order_id in order_ids]
    return any(event.kind is SpotEventKind.NEW or not event.order.is_open for event in own)
