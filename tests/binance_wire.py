"""Binance as seen from the adapter, without a network: what is sent is kept, what is answered is written down."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from tests.fakes import ManualClock

from vela.adapters.exchanges.binance.connection import BinanceConnection
from vela.adapters.exchanges.unified.connection import Credentials

NOW = 1_700_000_000_000
KEY, SECRET = "canary-key", "canary-secret"
ORDER_TYPES = ("LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT")


class Sent(NamedTuple):
    """A request. `name`: method and path, as in `POST order`."""

    name: str
    terms: dict[str, str]


class Refusal(NamedTuple):
    """An answer with a status other than 200."""

    status: int
    body: Any


class Wire:
    """The connection, and both ends of it."""

    def __init__(self, symbols: Iterable[str] = ("BTC", "ETH"), order_types: Iterable[str] = ORDER_TYPES) -> None:
        self.clock = ManualClock(NOW)
        self.connection = BinanceConnection(Credentials(KEY, SECRET), self.clock)
        self.sent: list[Sent] = []
        self._answers: defaultdict[str, list[Any]] = defaultdict(list)
        listed: list[Any] = [_listed(symbol, [*order_types]) for symbol in symbols]
        self.answer("GET time", {"serverTime": NOW})
        self.listed: dict[str, Any] = {"timezone": "UTC", "serverTime": NOW, "rateLimits": [], "symbols": listed}
        self.answer("GET exchangeInfo", self.listed)
        self.connection._client.fetch = self._fetch

    def answer(self, name: str, *answers: Any) -> None:
        """Answer the next requests of that name; an exception is raised instead. The last one is repeated."""
        self._answers[name] += answers

    def forget(self, name: str) -> None:
        self._answers.pop(name, None)

    def of(self, name: str) -> list[dict[str, str]]:
        return [sent.terms for sent in self.sent if sent.name == name]

    async def _fetch(self, url: str, method: str = "GET", headers: Any = None, body: Any = None) -> Any:
        parts = urlsplit(url)
        name = f"{method} {parts.path.partition('/v3/')[2] or parts.path.partition('/v1/')[2]}"
        self.sent.append(Sent(name, dict(parse_qsl(parts.query)) | dict(parse_qsl(body or ""))))
        waiting = self._answers[name]
        if not waiting:
            raise AssertionError(f"nobody wrote down an answer to {name}")
        answer = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        if isinstance(answer, Exception):
            raise answer
        status, content = answer if isinstance(answer, Refusal) else (200, answer)
        client, text = self.connection._client, json.dumps(content)
        client.on_rest_response(status, "", url, method, {}, text, {}, body)
        client.handle_errors(status, "", url, method, {}, text, content, {}, {})
        client.handle_http_status_code(status, "", url, method, text)
        return content


@asynccontextmanager
async def wire(**options: Any) -> AsyncIterator[Wire]:
    made = Wire(**options)
    await made.connection.open()
    made.sent.clear()
    try:
        yield made
    finally:
        await made.connection.close()


def order(client_id: str = "a", **fields: Any) -> dict[str, Any]:
    """An order as Binance tells it."""
    return {
        "symbol": "BTCUSDT",
        "orderId": 1,
        "orderListId": -1,
        "clientOrderId": client_id,
        "transactTime": NOW,
        "price": "0.00000000",
        "origQty": "1.00000000",
        "executedQty": "0.00000000",
        "cummulativeQuoteQty": "0.00000000",
        "status": "NEW",
        "timeInForce": "GTC",
        "type": "STOP_LOSS",
        "side": "SELL",
    } | fields


def trade(number: int, quantity: str = "0.5", **fields: Any) -> dict[str, Any]:
    """A trade of the account as Binance tells it."""
    return {
        "symbol": "BTCUSDT",
        "id": number,
        "orderId": 1,
        "price": "100.00000000",
        "qty": quantity,
        "commission": "0.00010000",
        "commissionAsset": "BNB",
        "time": NOW,
        "isBuyer": False,
        "isMaker": False,
    } | fields


def _listed(base: str, order_types: list[str]) -> dict[str, Any]:
    return {
        "symbol": f"{base}USDT",
        "status": "TRADING",
        "baseAsset": base,
        "baseAssetPrecision": 8,
        "quoteAsset": "USDT",
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "orderTypes": order_types,
        "isSpotTradingAllowed": True,
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "1000000", "tickSize": "0.01"},
            {"filterType": "LOT_SIZE", "minQty": "0.001", "maxQty": "9000", "stepSize": "0.001"},
            {"filterType": "NOTIONAL", "minNotional": "5", "applyMinToMarket": True, "maxNotional": "9000000"},
        ],
        "permissions": ["SPOT"],
        "permissionSets": [["SPOT"]],
    }
