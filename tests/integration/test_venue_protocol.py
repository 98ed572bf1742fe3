"""What the venue sends has the keys and the kinds of values that Binance's own messages have."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.integration.venue_server import RunningVenue, running_venue
from websockets.asyncio.client import connect

LIMIT = {"type": "LIMIT", "timeInForce": "GTC", "price": "20000.00"}


@pytest.fixture(scope="module")
def venue() -> Iterator[RunningVenue]:
    with running_venue() as venue:
        venue.order()
        venue.order(**LIMIT)
        yield venue


def rest(shared_data: Path, name: str) -> Any:
    messages = json.loads((shared_data / "protocol/binance/rest_spot.json").read_text())["messages"]
    return next(json.loads(message["raw"]) for message in messages if message["name"] == name)


def user_events(shared_data: Path) -> dict[str, Any]:
    messages = json.loads((shared_data / "protocol/binance/user_data.json").read_text())["messages"]
    return {message["name"]: json.loads(message["raw"]) for message in messages}


def differences(real: Any, ours: Any, path: str = "") -> list[str]:
    """Return where `ours` lacks a key of `real` or has another kind of value; null says nothing."""
    if real is None or ours is None:
        return []
    if isinstance(real, bool) or type(real) is not type(ours):
        return [] if type(real) is type(ours) else [f"{path}: {type(ours).__name__}, not {type(real).__name__}"]
    if isinstance(real, dict):
        missing = [f"{path}.{key} is missing" for key in real if key not in ours]
        return missing + [d for key in real if key in ours for d in differences(real[key], ours[key], f"{path}.{key}")]
    if isinstance(real, list) and real and ours:
        if not isinstance(real[0], dict | list):
            pairs = enumerate(zip(real, ours, strict=False))
            return [found for index, pair in pairs for found in differences(*pair, f"{path}[{index}]")]
        return differences(real[0], ours[0], f"{path}[0]")
    return []


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("ping_response", "ping"),
        ("server_time_response", "time"),
        ("exchange_info_response", "exchangeInfo"),
        ("klines_response", "klines?symbol=BTCUSDT&interval=1m"),
        ("depth_response", "depth?symbol=BTCUSDT"),
        ("trades_response", "trades?symbol=BTCUSDT"),
        ("ticker_24hr_response", "ticker/24hr?symbol=BTCUSDT"),
        ("ticker_price_response", "ticker/price?symbol=BTCUSDT"),
        ("book_ticker_response", "ticker/bookTicker?symbol=BTCUSDT"),
    ],
)
def test_public_answers(venue, shared_data, name, path) -> None:
    assert differences(rest(shared_data, name), venue.public(path)) == []


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("account_response", ("GET", "account", {})),
        ("account_trades_response", ("GET", "myTrades", {"symbol": "BTCUSDT"})),
        ("all_orders_response", ("GET", "allOrders", {"symbol": "BTCUSDT"})),
        ("order_response", ("GET", "order", {"symbol": "BTCUSDT", "orderId": 1})),
        (
            "new_order_full_response",
            ("POST", "order", {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01"}),
        ),
        ("cancel_order_response", ("DELETE", "order", {"symbol": "BTCUSDT", "orderId": 2})),
    ],
)
def test_answers_about_the_account(venue, shared_data, name, call) -> None:
    method, path, parameters = call
    answer = venue.call(method, path, **parameters)
    assert answer.status_code == 200
    assert differences(rest(shared_data, name), answer.json()) == []


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
        ("listStatus", None),
        ("executionReport", "NEW"),
        ("executionReport", "NEW"),
        ("outboundAccountPosition", None),
    ]
    for index, name in ((0, "execution_report_new"), (1, "execution_report_trade"), (5, "execution_report_canceled")):
        assert differences(real[name], events[index]) == [], name
    assert differences(real["account_position"], events[2]) == []
    assert differences(real["list_status_wrapped"]["event"], events[7]) == []
    stop = next(event for event in events[8:10] if event["o"] == "STOP_LOSS_LIMIT")
    assert differences(real["execution_report_stop_loss"], stop) == []


async def events_of(venue: RunningVenue) -> list[dict[str, Any]]:
    def trade() -> None:
        venue.order()
        placed = venue.order(**LIMIT).json()
        venue.call("DELETE", "order", symbol="BTCUSDT", orderId=placed["orderId"])
        pair: dict[str, Any] = {"aboveType": "LIMIT_MAKER", "abovePrice": "900000", "belowType": "STOP_LOSS_LIMIT"}
        below: dict[str, Any] = {"belowPrice": "900", "belowStopPrice": "1000", "belowTimeInForce": "GTC"}
        listed = venue.call("POST", "orderList/oco", symbol="BTCUSDT", side="SELL", quantity="1", **pair, **below)
        assert listed.status_code == 200, listed.text

    events: list[dict[str, Any]] = []
    async with connect(f"{venue.ws}/ws/{await asyncio.to_thread(venue.listen_key)}", proxy=None) as socket:
        await asyncio.to_thread(trade)
        while len(events) < 11:
            async with asyncio.timeout(5):
                events.append(json.loads(await socket.recv()))
    return events


@pytest.mark.parametrize("kind", ["depth@100ms", "bookTicker", "kline_1m"])
async def test_streams(venue, shared_data, kind) -> None:
    with gzip.open(shared_data / "protocol/binance/recording_spot_2021-10-12.jsonl.gz", "rt") as lines:
        received = (json.loads(line) for line in lines)
        texts = (json.loads(line["data"]) for line in received if line["t"] == "recv")
        real = next(text for text in texts if text["stream"].endswith(kind))
    async with connect(f"{venue.ws}/stream?streams=btcusdt@{kind}", proxy=None) as socket, asyncio.timeout(5):
        ours = json.loads(await socket.recv())
    assert differences(real, ours) == []
    assert ours["stream"] == f"btcusdt@{kind}"


def test_a_difference_is_found() -> None:
    assert differences({"a": "1", "b": [{"c": 1}]}, {"a": 1, "b": [{}]}) == [".a: int, not str", ".b[0].c is missing"]
