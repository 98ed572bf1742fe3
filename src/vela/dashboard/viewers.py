"""The Socket.IO side: browsers that follow streams."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import socketio
import structlog
from engineio import packet as engine_packet

from vela.dashboard.answers import error
from vela.dashboard.metrics import PageCounts
from vela.dashboard.projection import CANDLES, Projection
from vela.dashboard.shapes import ErrorView
from vela.dashboard.stream import Event, Stream
from vela.dashboard.symbol_stream import SymbolStream

LONGEST_MESSAGE = 4096
# A page follows all its symbols as soon as it is connected; from then on it rarely asks.
BURST = 500
ASKS_PER_SECOND = 50.0
LONGEST_QUEUE = 5000

_NAMESPACE = "/"
_EVENTS = "snapshot, subscribe_symbol, unsubscribe_symbol"
_LISTED_NAMES = 50

_log = structlog.get_logger(__name__)

Answer = msgspec.Raw | ErrorView | dict[str, bool]


class MsgspecJson:
    """What python-socketio asks of a JSON module."""

    @staticmethod
    def dumps(value: Any, **_: Any) -> str:  # noqa: ANN401  whatever is JSON
        """Write `value`."""
        return msgspec.json.encode(value).decode()

    @staticmethod
    def loads(text: str | bytes) -> Any:  # noqa: ANN401  whatever is JSON
        """Read `text`.

        Raises:
            ValueError: it is no JSON, or is nested beyond all reason.
        """
        try:
            return msgspec.json.decode(text)
        except (msgspec.DecodeError, RecursionError) as problem:
            raise ValueError(str(problem)) from None


class _Server(socketio.AsyncServer):  # type: ignore[misc]  # carries no types
    """Ends the connection of a client that does not speak Socket.IO, instead of logging each of its frames."""

    async def _handle_eio_message(self, eio_sid: str, data: str | bytes) -> None:
        try:
            await super()._handle_eio_message(eio_sid, data)
        except Exception as problem:  # noqa: BLE001  whatever a client can provoke
            _log.warning("page.client_message_unreadable", error=str(problem)[:200])
            await drop(self, eio_sid)

    async def _handle_connect(self, eio_sid: str, namespace: str | None, data: object) -> None:
        # Once a connection: every time would bring a fresh allowance.
        if self.environ[eio_sid].setdefault("vela.greeted", False):
            raise ValueError("connected already")
        self.environ[eio_sid]["vela.greeted"] = True
        await super()._handle_connect(eio_sid, namespace, data)

    async def _handle_event(self, eio_sid: str, namespace: str | None, ack: int | None, data: object) -> None:
        if not isinstance(data, list) or not data or not isinstance(data[0], str):
            raise ValueError("an event without a name")
        if data[0] in {"connect", "disconnect", "*"}:  # names of handlers, not of events
            data = [f"{data[0]} (reserved)", *data[1:]]
        await super()._handle_event(eio_sid, namespace, ack, data)


class _Allowance:
    """How much a client may still ask: a bucket that fills with time."""

    __slots__ = ("_left", "_time")

    def __init__(self, now: float) -> None:
        self._left = float(BURST)
        self._time = now

    def take(self, now: float) -> bool:
        self._left = min(float(BURST), self._left + (now - self._time) * ASKS_PER_SECOND)
        self._time = now
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True


class Viewers:
    """Everybody who is connected. Who follows a stream gets its snapshot, then every event after it, in order."""

    def __init__(self, projection: Projection, counts: PageCounts) -> None:
        """Serve what `projection` knows; nobody is connected yet."""
        self._projection = projection
        self._counts = counts
        self._allowances: dict[str, _Allowance] = {}
        # always_connect: a client is told that it is connected before it gets its first snapshot.
        # No cross-origin answers: the gate lets only the page's own origin through.
        self.server = _Server(
            async_mode="asgi",
            transports=["websocket"],
            cors_allowed_origins=[],
            max_http_buffer_size=LONGEST_MESSAGE,
            http_compression=False,
            always_connect=True,
            async_handlers=False,
            json=MsgspecJson,
        )
        self.server.on("connect", self._connect)
        self.server.on("disconnect", self._disconnect)
        self.server.on("snapshot", self._ask_snapshot)
        self.server.on("subscribe_symbol", self._subscribe)
        self.server.on("unsubscribe_symbol", self._unsubscribe)
        self.server.on("*", self._unknown)

    # ------------------------------------------------------------------------------------------------------- pushing

    async def flush(self) -> int:
        """Push what changed; returns how many frames that made."""
        frames = 0
        for stream in self._projection.streams():
            sent = self._flush(stream)
            frames += sent
            if sent:
                await asyncio.sleep(0)  # trading shares the loop: let it go between symbols
        await self._drop_slow()
        return frames

    def snapshot(self, stream: Stream, candles: int | None = None) -> bytes:
        """Return a stream's snapshot as JSON, after pushing what came before it to those who follow already.

        Args:
            stream: whose.
            candles: how many of a symbol's newest; None: all that are kept.
        """
        self._flush(stream)
        if candles is None or not isinstance(stream, SymbolStream):
            return stream.snapshot()
        return stream.short_snapshot(candles)

    def _flush(self, stream: Stream) -> int:
        followers = self._followers(stream)
        if not followers:
            stream.discard()
            return 0
        events = stream.flush()
        for event in events:
            self._send(event, followers)
        self._counts.events += len(events)
        return len(events) * len(followers)

    def _followers(self, stream: Stream) -> list[Any]:
        sockets = self.server.eio.sockets
        members = self.server.manager.get_participants(_NAMESPACE, stream.name)
        return [sockets[eio_sid] for _, eio_sid in members if eio_sid in sockets]

    def _send(self, event: Event, followers: list[Any]) -> None:
        # Straight into the connections' queues, encoded once: no task per browser, and nothing can come between.
        text = self.server.packet_class(socketio.packet.EVENT, namespace=_NAMESPACE, data=list(event)).encode()
        frame = engine_packet.Packet(engine_packet.MESSAGE, text)
        for connection in followers:
            connection.queue.put_nowait(frame)

    async def close(self) -> None:
        """Stop what runs in the background."""
        await self.server.shutdown()

    async def _drop_slow(self) -> None:
        for eio_sid, connection in list(self.server.eio.sockets.items()):
            if connection.queue.qsize() > LONGEST_QUEUE:
                self._counts.slow_viewers += 1
                await drop(self.server, eio_sid)

    # ------------------------------------------------------------------------------------------------------- clients

    async def _connect(self, sid: str, _environ: dict[str, Any], _auth: object) -> None:
        self._allowances[sid] = _Allowance(asyncio.get_running_loop().time())
        self._counts.viewers = len(self._allowances)
        account = self._projection.account
        await self.server.enter_room(sid, account.name)
        body = msgspec.Raw(self.snapshot(account))
        text = self.server.packet_class(socketio.packet.EVENT, namespace=_NAMESPACE, data=["snapshot", body]).encode()
        connection = self.server.eio.sockets.get(self.server.manager.eio_sid_from_sid(sid, _NAMESPACE))
        if connection is not None:
            connection.queue.put_nowait(engine_packet.Packet(engine_packet.MESSAGE, text))

    async def _disconnect(self, sid: str, _reason: str) -> None:
        self._allowances.pop(sid, None)
        self._counts.viewers = len(self._allowances)

    async def _ask_snapshot(self, sid: str, *data: object) -> Answer:
        refused = self._refusal(sid)
        if refused is not None:
            return refused
        if len(data) > 1 or (data and data[0] is not None and not isinstance(data[0], dict)):
            return self._malformed("snapshot takes nothing", "{}")
        return msgspec.Raw(self.snapshot(self._projection.account))

    async def _subscribe(self, sid: str, *data: object) -> Answer:
        stream = self._refusal(sid) or self._requested(data)
        if not isinstance(stream, Stream):
            return stream
        candles = data[0].get("candles") if isinstance(data[0], dict) else None
        if candles is not None and (type(candles) is not int or not 0 <= candles <= CANDLES):
            return self._malformed("candles cannot be used", f"a whole number from 0 to {CANDLES}")
        await self.server.enter_room(sid, stream.name)
        return msgspec.Raw(self.snapshot(stream, candles))

    async def _unsubscribe(self, sid: str, *data: object) -> Answer:
        stream = self._refusal(sid) or self._requested(data)
        if not isinstance(stream, Stream):
            return stream
        await self.server.leave_room(sid, stream.name)
        return {"ok": True}

    async def _unknown(self, event: object, sid: str, *_data: object) -> Answer:
        return self._refusal(sid) or self._malformed(f"event {str(event)[:60]!r} is unknown", _EVENTS)

    def _requested(self, data: tuple[object, ...]) -> Stream | ErrorView:
        body = data[0] if len(data) == 1 else None
        name = body.get("symbol") if isinstance(body, dict) else None
        if not isinstance(name, str):
            return self._malformed("the message names no symbol", '{"symbol": "BTC"}')
        stream = self._projection.symbol(name)
        return stream or self._malformed(f"symbol {name[:60]!r} is not in use", names(self._projection))

    def _refusal(self, sid: str) -> ErrorView | None:
        allowance = self._allowances.get(sid)
        if allowance is not None and allowance.take(asyncio.get_running_loop().time()):
            return None
        return self._malformed("too many messages", f"{ASKS_PER_SECOND:g} a second")

    def _malformed(self, what: str, accepted: str) -> ErrorView:
        self._counts.refused_messages += 1
        return error(what, accepted)


def names(projection: Projection) -> str:
    """Return the symbols in use, for a person; the first fifty of very many."""
    known = projection.names()
    more = f" and {len(known) - _LISTED_NAMES} more" if len(known) > _LISTED_NAMES else ""
    return ", ".join(known[:_LISTED_NAMES]) + more


async def drop(server: socketio.AsyncServer, eio_sid: str) -> None:
    """End a connection without waiting for what it has not read."""
    connection = server.eio.sockets.get(eio_sid)
    if connection is not None:
        await connection.close(wait=False, abort=True, reason=server.reason.SERVER_DISCONNECT)
        connection.queue.put_nowait(None)
