"""The WebSocket API: the endpoints of REST by other names, and the account's events by subscription."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import orjson

from vela.venue.binance.desk import Desk, Endpoint, Security
from vela.venue.binance.errors import BinanceError
from vela.venue.binance.gate import Gate
from vela.venue.binance.hub import Connection
from vela.venue.binance.parameters import Parameters
from vela.venue.binance.request_faults import GARBAGE, Attempt, RequestFaults
from vela.venue.binance.rest import ENDPOINTS

# Methods, and the endpoints that do the same.
_METHODS = {
    "ping": ("GET", "ping"),
    "time": ("GET", "time"),
    "exchangeInfo": ("GET", "exchangeInfo"),
    "depth": ("GET", "depth"),
    "avgPrice": ("GET", "avgPrice"),
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


class SocketRequest(msgspec.Struct, frozen=True):
    """A message from a client."""

    method: str
    id: int | str | None = None
    params: object = None


class SocketApi:
    """Answers requests that come over a socket."""

    def __init__(self, desk: Desk, gate: Gate, faults: RequestFaults) -> None:
        """Answer at `desk` whom `gate` lets in, through `faults`."""
        self._desk = desk
        self._gate = gate
        self._faults = faults

    async def answer(self, connection: Connection, request: SocketRequest) -> str | None:
        """Return the answer as it is sent; None: there is none, the connection is cut."""

        def refuse(error: BinanceError) -> str:
            return _sent({"id": request.id, "status": error.status, "error": error.body()})

        def execute() -> str:
            try:
                return _sent({"id": request.id, "status": 200, "result": self._result(connection, request)})
            except BinanceError as error:
                return refuse(error)

        attempt = Attempt((request.method,), execute, refuse, lambda: GARBAGE, connection.cut)
        return await self._faults.through(attempt)

    def _result(self, connection: Connection, request: SocketRequest) -> object:
        sent = request.params if isinstance(request.params, Mapping) else {}
        values = {str(name): _as_text(value) for name, value in sent.items()}
        parameters = Parameters(values)
        parameters.skip("apiKey", "returnRateLimits")
        endpoint = _endpoint(connection, request.method)
        self._gate.admit(endpoint)
        payload = "&".join(f"{name}={values[name]}" for name in sorted(values) if name != "signature")
        self._gate.check(endpoint.security, parameters, values.get("apiKey"), payload)
        return endpoint.answer(self._desk, parameters)


def _endpoint(connection: Connection, method: str) -> Endpoint:
    match method:
        case "userDataStream.subscribe.signature":
            return Endpoint(lambda _, parameters: _subscribed(connection, parameters), 2, Security.SIGNED)
        case "userDataStream.unsubscribe":
            return Endpoint(lambda _, parameters: _unsubscribed(connection, parameters), 2)
    if method not in _METHODS:
        raise BinanceError(-1020, "This operation is not supported.")
    return ENDPOINTS[_METHODS[method]]


def _subscribed(connection: Connection, parameters: Parameters) -> object:
    parameters.finish()
    number = len(connection.account_streams)
    connection.account_streams[number] = None
    return {"subscriptionId": number}


def _unsubscribed(connection: Connection, parameters: Parameters) -> object:
    parameters.skip("subscriptionId")
    parameters.finish()
    connection.account_streams.clear()
    return {}


def _sent(answer: object) -> str:
    return orjson.dumps(answer).decode()


def _as_text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
