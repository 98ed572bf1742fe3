"""The sockets: market streams with their subscriptions, and the WebSocket API."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress

import msgspec
from starlette.websockets import WebSocket, WebSocketDisconnect

from vela.ports.clock import Clock
from vela.venue.binance.desk import Desk, Security
from vela.venue.binance.errors import BinanceError
from vela.venue.binance.hub import Connection, Hub
from vela.venue.binance.parameters import Parameters
from vela.venue.binance.rest import ENDPOINTS, check_key
from vela.venue.binance.shapes import Shape
from vela.venue.faults import FaultPlan
from vela.venue.faulty_messages import FaultyMessages

_TOO_SLOW = 1008

# Methods of the WebSocket API and the endpoints that do the same.
_METHODS = {
    "ping": ("GET", "ping"),
    "time": ("GET", "time"),
    "exchangeInfo": ("GET", "exchangeInfo"),
    "depth": ("GET", "depth"),
    "trades.recent": ("GET", "trades"),
    "trades.aggregate": ("GET", "aggTrades"),
    "klines": ("GET", "klines"),
    "ticker.24hr": ("GET", "ticker/24hr"),
    "ticker.price": ("GET", "ticker/price"),
    "ticker.book": ("GET", "ticker/bookTicker"),
    "account.status": ("GET", "account"),
    "order.place": ("POST", "order"),
    "order.test": ("POST", "order/test"),
    "order.status": ("GET", "order"),
    "order.cancel": ("DELETE", "order"),
    "order.cancelReplace": ("POST", "order/cancelReplace"),
    "openOrders.status": ("GET", "openOrders"),
    "openOrders.cancelAll": ("DELETE", "openOrders"),
    "orderList.place.oco": ("POST", "orderList/oco"),
    "orderList.cancel": ("DELETE", "orderList"),
    "orderList.status": ("GET", "orderList"),
    "openOrderLists.status": ("GET", "openOrderList"),
    "allOrders": ("GET", "allOrders"),
    "myTrades": ("GET", "myTrades"),
    "userDataStream.start": ("POST", "userDataStream"),
    "userDataStream.ping": ("PUT", "userDataStream"),
    "userDataStream.stop": ("DELETE", "userDataStream"),
}


class _Request(msgspec.Struct, frozen=True):
    """A message from a client."""

    method: str
    id: int | str | None = None
    params: object = None


class Sockets:
    """Serves sockets."""

    def __init__(self, desk: Desk, hub: Hub, plan: FaultPlan, clock: Clock) -> None:
        """`plan`: the faults that messages go through; `clock` measures them."""
        self._desk = desk
        self._hub = hub
        self._plan = plan
        self._clock = clock

    async def streams(self, socket: WebSocket) -> None:
        """Serve market streams, and user data streams by listen key: those of the address, and those asked for."""
        is_combined = socket.url.path.startswith("/stream")
        connection = self._connection(is_combined=is_combined and "/ws" not in socket.url.path)
        path = socket.path_params.get("path", "")
        named = [*path.split("/"), *socket.query_params.get("streams", "").split("/")]
        self._hub.subscribe(connection, [name for name in named if self._is_stream(name)])
        await self._serve(socket, connection, self._on_stream_request)

    async def api(self, socket: WebSocket) -> None:
        """Serve the WebSocket API."""
        await self._serve(socket, self._connection(is_combined=False), self._on_api_request)

    def _connection(self, *, is_combined: bool) -> Connection:
        return Connection(FaultyMessages(self._plan, self._clock), is_combined=is_combined)

    def _is_stream(self, name: str) -> bool:
        return "@" in name or self._desk.listen_keys.is_valid(name, self._desk.now())

    async def _serve(
        self, socket: WebSocket, connection: Connection, on_request: Callable[[Connection, _Request], Shape]
    ) -> None:
        await socket.accept()
        self._hub.join(connection)
        sending = asyncio.create_task(_send_all(socket, connection.waiting.get))
        try:
            async for text in _texts(socket):
                connection.answer(_answered(text, lambda request: on_request(connection, request)))
        finally:
            self._hub.leave(connection)
            sending.cancel()

    # --------------------------------------------------------------------------------------------- market streams

    def _on_stream_request(self, connection: Connection, request: _Request) -> Shape:
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
                return {"error": error, "id": request.id}
        return {"result": result, "id": request.id}

    # ---------------------------------------------------------------------------------------------- WebSocket API

    def _on_api_request(self, connection: Connection, request: _Request) -> Shape:
        try:
            result = self._api_result(connection, request)
        except BinanceError as error:
            return {"id": request.id, "status": error.status, "error": error.body()}
        return {"id": request.id, "status": 200, "result": result}

    def _api_result(self, connection: Connection, request: _Request) -> object:
        sent = request.params if isinstance(request.params, Mapping) else {}
        values = {str(name): _as_text(value) for name, value in sent.items()}
        parameters = Parameters(values)
        parameters.skip("apiKey", "returnRateLimits")
        if request.method == "userDataStream.subscribe.signature":
            self._desk.limiter.spend(2, self._desk.now())
            self._check(parameters, values, Security.SIGNED)
            parameters.finish()
            number = len(connection.account_streams)
            connection.account_streams[number] = None
            return {"subscriptionId": number}
        if request.method == "userDataStream.unsubscribe":
            connection.account_streams.clear()
            return {}
        if request.method not in _METHODS:
            raise BinanceError(-1020, "This operation is not supported.")
        endpoint = ENDPOINTS[_METHODS[request.method]]
        self._desk.limiter.spend(endpoint.weight, self._desk.now())
        self._check(parameters, values, endpoint.security)
        return endpoint.answer(self._desk, parameters)

    def _check(self, parameters: Parameters, values: Mapping[str, str], security: Security) -> None:
        if security is Security.NONE:
            return
        check_key(self._desk, values.get("apiKey"))
        if security is Security.SIGNED:
            parameters.check_time(self._desk.now())
            payload = "&".join(f"{name}={values[name]}" for name in sorted(values) if name != "signature")
            parameters.check_signature(self._desk.api_secret, payload)


def _answered(text: str, answer: Callable[[_Request], Shape]) -> Shape:
    try:
        request = msgspec.json.decode(text, type=_Request)
    except msgspec.MsgspecError:
        return {"error": {"code": 3, "msg": "Invalid JSON: expected an object with method, params and id"}}
    return answer(request)


async def _texts(socket: WebSocket) -> AsyncIterator[str]:
    while (message := await socket.receive())["type"] == "websocket.receive":
        yield message.get("text") or (message.get("bytes") or b"").decode("utf-8", "replace")


async def _send_all(socket: WebSocket, next_message: Callable[[], Awaitable[str | None]]) -> None:
    with suppress(WebSocketDisconnect):  # whoever reads notices it, too
        while (text := await next_message()) is not None:
            await socket.send_text(text)
        await socket.close(_TOO_SLOW)


def _as_text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
