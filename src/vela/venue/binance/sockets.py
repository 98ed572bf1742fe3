"""The sockets: market streams with their subscriptions, and the WebSocket API."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from functools import partial

import msgspec
import orjson
from starlette.websockets import WebSocket, WebSocketDisconnect

from vela.ports.clock import Clock
from vela.venue.binance.desk import Desk
from vela.venue.binance.hub import Connection, Hub
from vela.venue.binance.shapes import Shape
from vela.venue.binance.socket_api import SocketApi, SocketRequest
from vela.venue.connections import cut
from vela.venue.faults import FaultPlan
from vela.venue.faulty_messages import FaultyMessages

_TOO_SLOW = 1008
_LONGEST_LIFE_MS = 24 * 60 * 60_000
_LOOK_S = 1.0  # how often a socket's age is looked at: the venue's clock can be set

_Answering = Callable[[SocketRequest], Awaitable[str | None]]


class Sockets:
    """Serves sockets; one that is 24 hours old is cut."""

    def __init__(self, desk: Desk, hub: Hub, api: SocketApi, plan: FaultPlan, clock: Clock) -> None:
        """`plan`: the faults that messages go through; `clock` measures them."""
        self._desk = desk
        self._hub = hub
        self._api = api
        self._plan = plan
        self._clock = clock

    async def streams(self, socket: WebSocket) -> None:
        """Serve market streams, and user data streams by listen key: those of the address, and those asked for."""
        is_combined = socket.url.path.startswith("/stream")
        connection = self._connection(socket, is_combined=is_combined and "/ws" not in socket.url.path)
        path = socket.path_params.get("path", "")
        named = [*path.split("/"), *socket.query_params.get("streams", "").split("/")]
        self._hub.subscribe(connection, [name for name in named if self._is_stream(name)])
        await self._serve(socket, connection, partial(self._on_stream_request, connection))

    async def api(self, socket: WebSocket) -> None:
        """Serve the WebSocket API."""
        connection = self._connection(socket, is_combined=False)
        await self._serve(socket, connection, partial(self._api.answer, connection))

    def _connection(self, socket: WebSocket, *, is_combined: bool) -> Connection:
        messages = FaultyMessages(self._plan, self._clock)
        return Connection(messages, lambda: cut(socket.scope), is_combined=is_combined)

    def _is_stream(self, name: str) -> bool:
        return "@" in name or self._desk.listen_keys.is_valid(name, self._desk.now())

    async def _serve(self, socket: WebSocket, connection: Connection, answering: _Answering) -> None:
        await socket.accept()
        self._hub.join(connection)
        chores = {asyncio.create_task(chore) for chore in (_send_all(socket, connection), self._retire(connection))}
        try:
            async for text in _texts(socket):
                # On its own: an answer that is late holds up no other.
                chore = asyncio.create_task(_answer(connection, text, answering))
                chores.add(chore)
                chore.add_done_callback(chores.discard)
        finally:
            self._hub.leave(connection)
            for chore in list(chores):
                chore.cancel()

    async def _retire(self, connection: Connection) -> None:
        began = self._desk.now()
        while self._desk.now() - began < _LONGEST_LIFE_MS:
            await self._clock.sleep(_LOOK_S)
        connection.cut()

    async def _on_stream_request(self, connection: Connection, request: SocketRequest) -> str:
        names = request.params if isinstance(request.params, list) else []
        result: object = None
        match request.method:
            case "SUBSCRIBE":
                self._hub.subscribe(connection, [name for name in names if isinstance(name, str)])
            case "UNSUBSCRIBE":
                self._hub.unsubscribe(connection, [name for name in names if isinstance(name, str)])
            case "LIST_SUBSCRIPTIONS":
                result = list(connection.streams)
            case "SET_PROPERTY":
                connection.is_combined = names == ["combined", True]
            case _:
                error = {"code": 2, "msg": f"Invalid request: unknown method {request.method[:40]}"}
                return _sent({"error": error, "id": request.id})
        return _sent({"result": result, "id": request.id})


async def _answer(connection: Connection, text: str, answering: _Answering) -> None:
    try:
        request = msgspec.json.decode(text, type=SocketRequest)
    except msgspec.MsgspecError:
        error = {"code": 3, "msg": "Invalid JSON: expected an object with method, params and id"}
        connection.put(_sent({"error": error}))
        return
    answer = await answering(request)
    if answer is not None:
        connection.put(answer)


async def _texts(socket: WebSocket) -> AsyncIterator[str]:
    while (message := await socket.receive())["type"] == "websocket.receive":
        yield message.get("text") or (message.get("bytes") or b"").decode("utf-8", "replace")


async def _send_all(socket: WebSocket, connection: Connection) -> None:
    with suppress(WebSocketDisconnect):  # whoever reads notices it, too
        while (text := await connection.waiting.get()) is not None:
            await socket.send_text(text)
        await socket.close(_TOO_SLOW)


def _sent(shape: Shape) -> str:
    return orjson.dumps(shape).decode()
