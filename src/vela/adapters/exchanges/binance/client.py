"""Binance's class of ccxt.pro with our hands on it: strict about outcomes, raw messages to whoever listens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ccxt.pro

from vela.adapters.exchanges.unified.client import WatchedClient
from vela.domain.errors import VenueUnavailable

_HELD = "held"
_SERVER_FAULT = 500
_TOO_MANY_ORDERS = '"code":-1015'
# What answers are lists, and what the others must hold for ccxt to see that there is anything.
_LISTS = {"klines", "myTrades", "openOrders", "ticker/24hr"}
_KEYS = {"account": "balances", "exchangeInfo": "symbols", "time": "serverTime"}


class PartlyReplaced(Exception):
    """Not both halves of a cancel-and-replace were done. `halves`: what became of each, as Binance tells it."""

    def __init__(self, halves: Mapping[str, Any]) -> None:
        super().__init__("cancel and replace was not done as a whole")
        self.halves = halves


class BinanceClient(WatchedClient, ccxt.pro.binance):
    """Binance Spot.

    Attributes:
        taps: who is told of an event, by its type, as it came.
    """

    weight_per_cost = 5.0
    used_weight_header = "X-MBX-USED-WEIGHT-1M"
    order_count_header = "X-MBX-ORDER-COUNT-10S"
    taps: dict[str, Callable[[Mapping[str, Any]], None]]
    _subscribed: Any = None  # the socket on which the account's events come

    # --------------------------------------------------------------------------------------------------------- REST

    async def request(self, path: str, *rest: Any, **named: Any) -> Any:  # noqa: ANN401  ccxt's types
        """Send a request and return an answer of the right shape.

        Of others ccxt would make empty lists: no open orders, nothing held. And a key that is refused after it was
        good once, it would take for a ban.
        """
        answer = await self.fetch2(path, *rest, **named)
        is_right = isinstance(answer, list if path in _LISTS else dict)
        if not is_right or (path in _KEYS and _KEYS[path] not in answer):
            raise ccxt.BadResponse(f"{self.id} {path}: an answer of another shape")
        if path == "exchangeInfo":
            self._learn_limits(answer.get("rateLimits"))
        return answer

    def _learn_limits(self, limits: Any) -> None:  # noqa: ANN401  whatever came
        for limit in limits if isinstance(limits, list) else ():
            kind, most = [limit.get(name) for name in ("rateLimitType", "interval", "intervalNum")], limit.get("limit")
            if not isinstance(most, int) or most <= 0:
                continue
            if kind == ["REQUEST_WEIGHT", "MINUTE", 1]:
                self.calls.budget.limit = most
            elif kind == ["ORDERS", "SECOND", 10]:
                self.calls.orders.limit = most

    def is_order_limit(self, body: str) -> bool:
        """See `WatchedClient.is_order_limit`."""
        return _TOO_MANY_ORDERS in body

    def handle_client_order_id(self, params: Any, *_rest: Any) -> Any:  # noqa: ANN401  ccxt's types
        """Leave ids as they are; ccxt's own would bear a broker's mark."""
        return params

    def handle_errors(self, code: int, reason: str, url: str, *rest: Any) -> Any:  # noqa: ANN401  ccxt's types
        """Raise what an answer means."""
        response = rest[3]
        if code >= _SERVER_FAULT:  # whatever the body says, nobody knows whether it was done
            raise ccxt.ExchangeNotAvailable(f"{self.id} {code} {rest[2]}")
        if isinstance(response, dict) and isinstance(response.get("data"), dict) and "cancelReplace" in url:
            raise PartlyReplaced(response["data"])
        return super().handle_errors(code, reason, url, *rest)

    def error_of(self, body: Mapping[str, Any]) -> Exception:
        """Return what would be raised for an error's body."""
        try:
            self.throw_exactly_matched_exception(self.exceptions["exact"], str(body.get("msg")), f"{self.id} {body}")
            self.handle_errors(400, "", "", "POST", {}, self.json(body), body, {}, {})
        except Exception as error:  # noqa: BLE001  it is what was asked for
            return error
        return ccxt.ExchangeError(self.json(body))

    # ------------------------------------------------------------------------------------------------------ sockets

    def handle_message(self, client: Any, message: Any) -> None:  # noqa: ANN401  ccxt's types
        """Hand events to whoever listens, if anybody does, and answers to whoever asked."""
        if not isinstance(message, Mapping):
            raise TypeError(f"a message was {type(message).__name__}")
        event = _event(message)
        kind = event.get("e")
        if kind == "eventStreamTerminated":
            self.drop(client.url, "the account's events were ended")
        elif kind is not None:
            self.taps.get(kind, _ignored)(event)
        elif "result" in event:
            client.resolve(event, str(event.get("id")))
        elif _HELD in client.futures:
            self.drop(client.url, f"refused: {str(event)[:80]}")
        else:
            super().handle_message(client, message)

    def market_url(self, name: str) -> str:
        """Return the address of a socket for market streams."""
        return f"{self.urls['api']['ws']['spot']}/{name}"

    async def hold_market(self, name: str, streams: Sequence[str]) -> None:
        """Subscribe to streams on a socket of their own, and wait until it is lost, which raises."""
        url = self.market_url(name)
        number = self.request_id(url)
        request = {"method": "SUBSCRIBE", "params": [*streams], "id": number}
        await self.watch_multiple(url, [_HELD], request, [_HELD], {"id": number})

    async def resubscribe_market(self, name: str, streams: Sequence[str]) -> None:
        """Subscribe anew to streams of a socket that is held."""
        url = self.market_url(name)
        for method in ("UNSUBSCRIBE", "SUBSCRIBE"):
            await self.client(url).send({"method": method, "params": [*streams], "id": self.request_id(url)})

    async def subscribe_account(self) -> None:
        """Subscribe to the account's events; raises what a refusal means."""
        # ccxt's own way to do this never recovers from a refusal.
        url = self._account_url()
        number = str(self.request_id(url))
        params = self.sign_params({})
        request = {"id": number, "method": "userDataStream.subscribe.signature", "params": params}
        await self.watch(url, number, request, number, {"id": number})
        self._subscribed = self.clients.get(url)

    async def hold_account(self) -> None:
        """Wait until the socket of the account's events is lost, which raises."""
        url = self._account_url()
        if self._subscribed is None or self.clients.get(url) is not self._subscribed:
            raise VenueUnavailable("the account's events were lost as soon as they were asked for")
        try:
            await self.watch(url, _HELD, None, _HELD)
        except asyncio.CancelledError:  # whoever comes next subscribes anew, and would be told all things twice
            self.drop(url, "nobody listens any more")
            raise

    def _account_url(self) -> str:
        return self.urls["api"]["ws"]["ws-api"]["spot"]


def _ignored(_event: Mapping[str, Any]) -> None:
    return


def _event(message: Mapping[str, Any]) -> Mapping[str, Any]:
    for name in ("data", "event"):  # the envelopes of combined streams and of the account's events
        if isinstance(message.get(name), Mapping):
            message = message[name]
    return message
