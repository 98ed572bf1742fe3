"""What the venue sends has the keys and the kinds of values that Binance's own messages have."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlencode

import pytest
from tests.integration.venue_server import RunningVenue, running_venue
from websockets.asyncio.client import connect

from vela.venue.binance.errors import REFUSED

LIMIT = {"type": "LIMIT", "timeInForce": "GTC", "price": "20000.00"}


@pytest.fixture(scope="module")
def venue() -> Iterator[RunningVenue]:
    with running_venue() as venue:
        venue.order()
        venue.order(newClientOrderId="resting", **LIMIT)
        yield venue


def recorded(shared_data: Path, file: str) -> list[dict[str, Any]]:
    messages = json.loads((shared_data / f"protocol/binance/{file}.json").read_text())["messages"]
    return cast("list[dict[str, Any]]", messages)


def user_events(shared_data: Path) -> dict[str, Any]:
    return {message["name"]: json.loads(message["raw"]) for message in recorded(shared_data, "user_data")}


def differences(real: Any, ours: Any, path: str = "") -> list[str]:
    """Return where `ours` lacks a key of `real` or has another kind of value; null says nothing."""
    if real is None or ours is None:
        return []
    if isinstance(real, bool) or type(real) is not type(ours):
        return [] if type(real) is type(ours) else [f"{path}: {type(ours).__name__}, not {type(real).__name__}"]
    if isinstance(real, dict):
        missing = [f"{path}.{key} is missing" for key in real if key and key not in ours]  # some lost a key's name
        return missing + [d for key in real if key in ours for d in differences(real[key], ours[key], f"{path}.{key}")]
    if isinstance(real, list) and real and ours:
        if not isinstance(real[0], dict | list):
            pairs = enumerate(zip(real, ours, strict=False))
            return [found for index, pair in pairs for found in differences(*pair, f"{path}[{index}]")]
        return differences(real[0], ours[0], f"{path}[0]")
    return []


BTC: dict[str, Any] = {"symbol": "BTCUSDT"}
PAIR: dict[str, Any] = BTC | {
    "side": "SELL",
    "quantity": "1",
    "aboveType": "LIMIT_MAKER",
    "abovePrice": "900000",
    "belowType": "STOP_LOSS_LIMIT",
    "belowPrice": "900",
    "belowStopPrice": "1000",
    "belowTimeInForce": "GTC",
}

# What was recorded or documented, and how the same is asked for here. Asked in this order: the orders stay to the last.
ANSWERS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "ping_response": ("GET", "ping", {}),
    "server_time_response": ("GET", "time", {}),
    "exchange_info_response": ("GET", "exchangeInfo", {}),
    "klines": ("GET", "klines", {**BTC, "interval": "1m"}),
    "klines_response": ("GET", "klines", {**BTC, "interval": "1m"}),
    "depth": ("GET", "depth", BTC),
    "depth_response": ("GET", "depth", BTC),
    "trades": ("GET", "trades", BTC),
    "trades_response": ("GET", "trades", BTC),
    "aggTrades": ("GET", "aggTrades", BTC),
    "avg_price_response": ("GET", "avgPrice", BTC),
    "24hr": ("GET", "ticker/24hr", BTC),
    "ticker_24hr_response": ("GET", "ticker/24hr", BTC),
    "price": ("GET", "ticker/price", BTC),
    "ticker_price_response": ("GET", "ticker/price", BTC),
    "book_ticker_response": ("GET", "ticker/bookTicker", BTC),
    "account": ("GET", "account", {}),
    "account_response": ("GET", "account", {}),
    "account_trades_response": ("GET", "myTrades", BTC),
    "allOrders": ("GET", "allOrders", BTC),
    "all_orders_response": ("GET", "allOrders", BTC),
    "order_response": ("GET", "order", {**BTC, "orderId": 1}),
    "test": ("POST", "order/test", {**BTC, "side": "SELL", "type": "MARKET", "quoteOrderQty": "10"}),
    "new_order_full_response": ("POST", "order", {**BTC, "side": "BUY", "type": "MARKET", "quantity": "0.01"}),
    "openOrders": ("GET", "openOrders", BTC),
    "cancel_order_response": ("DELETE", "order", {**BTC, "origClientOrderId": "resting"}),
    "cancel_open_orders_response": ("DELETE", "openOrders", BTC),
}
IS_PUBLIC = re.compile("ping|time|exchangeInfo|klines|depth|trades|aggTrades|avgPrice|ticker/.*")


def answered(venue: RunningVenue, name: str) -> Any:
    if name == "cancel_open_orders_response":
        for method, path, parameters in (
            ("POST", "order", {**BTC, **LIMIT, "side": "BUY", "quantity": "0.01"}),
            ("POST", "orderList/oco", PAIR),
        ):
            assert venue.call(method, path, **parameters).status_code == 200
    method, path, parameters = ANSWERS[name]
    if IS_PUBLIC.fullmatch(path):
        return venue.public(f"{path}?{urlencode(parameters)}")
    answer = venue.call(method, path, **parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_every_answer_that_was_recorded(venue, shared_data) -> None:
    messages = recorded(shared_data, "rest_spot")
    orders = [message for message in messages if message["name"] == "order"]  # a query and a cancel share the name
    assert {message["name"] for message in messages} == {*ANSWERS, "order"}
    for name in ANSWERS:
        ours = answered(venue, name)
        for message in (message for message in messages if message["name"] == name):
            real = json.loads(message["raw"])
            wanted = [ours] if isinstance(real, list) and isinstance(ours, dict) else ours  # several symbols at once
            assert differences(real, wanted) == [], message
        for message in orders if name.endswith("order_response") else ():
            if (message["method"] == "DELETE") == name.startswith("cancel"):
                assert differences(json.loads(message["raw"]), ours) == [], message


def test_the_rules_of_a_symbol(venue, shared_data) -> None:
    with gzip.open(shared_data / "metadata/binance_exchangeInfo_2024-09-08.json.gz", "rt") as file:
        real = json.load(file)
    ours = venue.public("exchangeInfo?symbol=BTCUSDT")
    [symbol] = [one for one in real["symbols"] if one["symbol"] == "BTCUSDT"]
    [own] = ours["symbols"]
    assert differences(symbol | {"filters": []}, own | {"filters": []}) == []
    theirs, mine = ({rule["filterType"]: rule for rule in one["filters"]} for one in (symbol, own))
    assert theirs.keys() - mine.keys() == {"ICEBERG_PARTS", "TRAILING_DELTA", "PERCENT_PRICE_BY_SIDE"}
    for name, rule in mine.items():
        assert rule.keys() == theirs[name].keys()
        assert differences(theirs[name], rule) == [], name
    assert set(symbol["orderTypes"]) <= set(own["orderTypes"])
    kinds = [(limit["rateLimitType"], limit["interval"], limit["intervalNum"]) for limit in real["rateLimits"]]
    assert [(one["rateLimitType"], one["interval"], one["intervalNum"]) for one in ours["rateLimits"]] == kinds[:3]


# What people reported, and what makes the same happen here; left out: what a newer API words differently or has not.
REFUSALS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "LOT_SIZE on a buy order": ("POST", "order", {**BTC, "side": "BUY", "type": "MARKET", "quantity": "0.000001"}),
    "BNBBTC LIMIT quantity 1.184 where the step is 0.01": (
        "POST",
        "order",
        {**BTC, **LIMIT, "side": "BUY", "quantity": "1.000001"},
    ),
    "market sell beyond the balance": ("POST", "order", {**BTC, "side": "SELL", "type": "MARKET", "quantity": "1000"}),
    "clock ahead": ("GET", "account", {"timestamp": 10**13}),
    "quantity with quoteOrderQty": (
        "POST",
        "order",
        {**BTC, "side": "BUY", "type": "MARKET", "quantity": "1", "quoteOrderQty": "1"},
    ),
    "cancel all when nothing is open, with headers": ("DELETE", "openOrders", {"symbol": "ETHUSDT"}),
    "STOP_LOSS_LIMIT already triggered": (
        "POST",
        "order",
        {**BTC, **LIMIT, "side": "BUY", "type": "STOP_LOSS_LIMIT", "stopPrice": "1", "quantity": "0.01"},
    ),
    "wrong key": ("GET", "account", {"key": "other"}),
    "wrong signature": ("GET", "account", {"secret": "other"}),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_refusals_that_were_reported(venue, shared_data, name) -> None:
    real = next(message for message in recorded(shared_data, "errors") if message["name"] == name)
    method, path, parameters = REFUSALS[name]
    answer = venue.call(method, path, **parameters)
    assert answer.json() == json.loads(real["raw"])
    assert answer.status_code == real.get("status", answer.status_code)


def test_every_refusal_of_an_order_is_worded_as_documented(shared_data) -> None:
    documented = json.loads((shared_data / "protocol/binance/error_codes_documented.json").read_text())
    texts = {one["message"] for one in documented["filter_and_rejection_messages"]} | {"Invalid symbol."}
    texts |= {json.loads(message["raw"])["msg"] for message in recorded(shared_data, "errors")}
    codes = {one["code"] for one in documented["codes"]}
    assert {text for _, text in REFUSED.values()} <= texts
    assert {code for code, _ in REFUSED.values()} <= codes


async def test_events_of_the_account(venue, shared_data) -> None:
    real = user_events(shared_data)
    events = await events_of(venue)
    kinds = [(event["e"], event.get("x")) for event in events]
    assert kinds == [
        ("executionReport", "NEW"),
        ("executionReport", "TRADE"),
        ("outboundAccountPosition", None),
        ("executionReport", "NEW"),
        ("outboundAccountPosition", None),
        ("executionReport", "CANCELED"),
        ("outboundAccountPosition", None),
        ("executionReport", "NEW"),
        ("executionReport", "EXPIRED"),
        ("outboundAccountPosition", None),
        ("listStatus", None),
        ("executionReport", "NEW"),
        ("executionReport", "NEW"),
        ("outboundAccountPosition", None),
    ]
    for index, name in (
        (0, "execution_report_new"),
        (1, "execution_report_trade"),
        (1, "executionReport TRADE/FILLED, fee in BNB"),
        (2, "account_position"),
        (5, "execution_report_canceled"),
        (8, "execution_report_expired"),
    ):
        assert differences(real[name], events[index]) == [], name
    for name, index in (("account_position", 2), ("execution_report", 0), ("list_status", 10)):
        assert differences(real[f"{name}_wrapped"]["event"], events[index]) == [], name
    stop = next(event for event in events[11:13] if event["o"] == "STOP_LOSS_LIMIT")
    assert differences(real["execution_report_stop_loss"], stop) == []


async def test_a_session_that_was_recorded_has_the_same_kinds_of_messages(venue, shared_data) -> None:
    texts = [message["raw"] for message in recorded(shared_data, "user_data_sessions")]
    messages = [json.loads(text) for text in texts if text.startswith("{")]
    real = [message.get("data", message) for message in messages]
    ours = {(event["e"], event.get("x")): event for event in await events_of(venue)}
    compared = [event for event in real if event.get("e") in {"executionReport", "outboundAccountPosition"}]
    assert len(compared) == 11
    for event in compared:
        assert differences(event, ours[event["e"], event.get("x")]) == []


async def events_of(venue: RunningVenue) -> list[dict[str, Any]]:
    def trade() -> None:
        venue.order()
        placed = venue.order(**LIMIT).json()
        venue.call("DELETE", "order", symbol="BTCUSDT", orderId=placed["orderId"])
        venue.order(**{**LIMIT, "timeInForce": "IOC"})
        listed = venue.call("POST", "orderList/oco", **PAIR)
        assert listed.status_code == 200, listed.text

    events: list[dict[str, Any]] = []
    async with connect(f"{venue.ws}/ws/{await asyncio.to_thread(venue.listen_key)}", proxy=None) as socket:
        await asyncio.to_thread(trade)
        while len(events) < 14:
            async with asyncio.timeout(5):
                events.append(json.loads(await socket.recv()))
    await asyncio.to_thread(venue.call, "DELETE", "openOrders", symbol="BTCUSDT")
    return events


def streamed(shared_data: Path) -> Iterator[Any]:
    """Yield messages of market streams of the spot market that were recorded, or that clients test themselves with."""
    with gzip.open(shared_data / "protocol/binance/recording_spot_2021-10-12.jsonl.gz", "rt") as lines:
        received = (json.loads(line) for line in lines)
        yield from (json.loads(line["data"]) for line in received if line["t"] == "recv")
    for file in ("ws_market", "ws_fixtures_gct"):
        yield from (json.loads(message["raw"]) for message in recorded(shared_data, file))


GONE = {".data.b", ".data.a"}  # once told whose orders traded


@pytest.mark.parametrize("kind", ["depth@100ms", "depth20", "bookTicker", "kline_1m", "aggTrade", "trade", "ticker"])
async def test_streams(venue, shared_data, kind) -> None:
    real = [text for text in streamed(shared_data) if text.get("stream", "").endswith(f"@{kind}")]
    assert real
    async with connect(f"{venue.ws}/stream?streams=btcusdt@{kind}", proxy=None) as socket, asyncio.timeout(5):
        ours = json.loads(await socket.recv())
    found = {difference for text in real for difference in differences(text, ours)}
    assert found <= ({f"{name} is missing" for name in GONE} if kind == "trade" else set())
    assert ours["stream"] == f"btcusdt@{kind}"


def test_a_difference_is_found() -> None:
    assert differences({"a": "1", "b": [{"c": 1}]}, {"a": 1, "b": [{}]}) == [".a: int, not str", ".b[0].c is missing"]
