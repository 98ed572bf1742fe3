"""The venue's sockets: subscriptions, the WebSocket API, and faults of messages."""

from __future__ import annotations

import asyncio
import json
import time
from itertools import pairwise
from typing import Any

import pytest
from tests.integration.venue_server import KEY, SECRET, RunningVenue
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosedError

from vela.venue.binance.parameters import signed

TRADES = "btcusdt@trade"


async def received(socket: ClientConnection) -> Any:
    async with asyncio.timeout(5):
        return json.loads(await socket.recv())


async def asked(socket: ClientConnection, method: str, params: object, number: int = 1) -> Any:
    await socket.send(json.dumps({"method": method, "params": params, "id": number}))
    while True:
        answer = await received(socket)
        if answer.get("id") == number:
            return answer


def credentials(**parameters: Any) -> dict[str, Any]:
    values = {"apiKey": KEY, "timestamp": time.time_ns() // 1_000_000, **parameters}
    payload = "&".join(f"{name}={values[name]}" for name in sorted(values))
    return {**values, "signature": signed(SECRET, payload)}


async def test_streams_are_asked_for_listed_and_given_up(venue) -> None:
    async with connect(f"{venue.ws}/ws", proxy=None) as socket:
        assert await asked(socket, "SUBSCRIBE", [TRADES, "ethusdt@miniTicker"]) == {"result": None, "id": 1}
        assert (await asked(socket, "LIST_SUBSCRIPTIONS", None, 2))["result"] == [TRADES, "ethusdt@miniTicker"]
        assert {(await received(socket))["e"] for _ in range(20)} == {"trade", "24hrMiniTicker"}
        await asked(socket, "UNSUBSCRIBE", [TRADES], 3)
        assert {(await received(socket))["s"] for _ in range(5)} == {"ETHUSDT"}
        assert (await asked(socket, "SHOUT", [], 4))["error"]["code"] == 2
        await socket.send("{")
        while "error" not in (answer := await received(socket)):
            pass
        assert answer["error"]["code"] == 3
        await socket.send(b'{"method": "LIST_SUBSCRIPTIONS", "id": 5}')
        while (answer := await received(socket)).get("id") != 5:
            pass
        assert answer["result"] == ["ethusdt@miniTicker"]


async def test_trades_are_numbered_without_a_gap_and_lie_inside_their_candle(venue) -> None:
    async with connect(f"{venue.ws}/stream?streams={TRADES}/btcusdt@kline_1m", proxy=None) as socket:
        messages = [(await received(socket)) for _ in range(60)]
    numbers = [message["data"]["t"] for message in messages if message["stream"] == TRADES]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    klines = [message["data"]["k"] for message in messages if message["stream"] != TRADES]
    assert any(kline["x"] for kline in klines)
    for kline in klines:
        assert float(kline["l"]) <= float(kline["c"]) <= float(kline["h"])
    closed = [kline["t"] for kline in klines if kline["x"]]
    opened = [kline["t"] for kline in klines]
    assert opened == sorted(opened)
    assert closed == sorted(set(closed))


async def test_a_candle_of_five_minutes_closes_with_its_last_minute(venue) -> None:
    async with connect(f"{venue.ws}/ws/btcusdt@kline_5m", proxy=None) as socket:
        while not (kline := (await received(socket))["k"])["x"]:
            pass
    rows = await asyncio.to_thread(venue.public, f"klines?symbol=BTCUSDT&interval=1m&startTime={kline['t']}&limit=5")
    assert max(float(row[2]) for row in rows) == float(kline["h"])
    assert rows[-1][4] == kline["c"]


async def test_the_book_can_be_rebuilt_from_a_snapshot_and_its_changes(venue) -> None:
    async with connect(f"{venue.ws}/ws/btcusdt@depth@100ms", proxy=None) as socket:
        changes = [await received(socket)]
        book = await asyncio.to_thread(venue.public, "depth?symbol=BTCUSDT&limit=5000")
        sides = {"b": dict(book["bids"]), "a": dict(book["asks"])}
        while len(changes) < 20:
            changes.append(await received(socket))
        for before, after in pairwise(changes):
            assert after["U"] == before["u"] + 1
        for change in (one for one in changes if one["u"] > book["lastUpdateId"]):
            for side, levels in sides.items():
                levels.update(change[side])
                for price in [price for price, size in levels.items() if float(size) == 0]:
                    del levels[price]
        bids, asks = ([float(price) for price in levels] for levels in sides.values())
    assert max(bids) < min(asks)


async def test_the_websocket_api_answers_as_rest_does(venue) -> None:
    async with connect(f"{venue.ws}/ws-api/v3", proxy=None) as socket:
        assert (await asked(socket, "ping", {}))["result"] == {}
        order = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01"}
        placed = await asked(socket, "order.place", credentials(**order))
        assert (placed["status"], placed["result"]["status"]) == (200, "FILLED")
        refused = await asked(socket, "order.place", credentials(**order) | {"quantity": "0.02"})
        assert (refused["status"], refused["error"]["code"]) == (400, -1022)
        assert (await asked(socket, "order.place", order))["error"]["code"] == -2014
        assert (await asked(socket, "dance", {}))["error"]["code"] == -1020


MARKET_ORDER = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01"}


async def placed(socket: ClientConnection, name: str) -> Any:
    return await asked(socket, "order.place", credentials(**MARKET_ORDER, newClientOrderId=name))


async def found(venue: RunningVenue, name: str) -> bool:
    answer = await asyncio.to_thread(venue.call, "GET", "order", symbol="BTCUSDT", origClientOrderId=name)
    return answer.status_code == 200


@pytest.mark.parametrize(
    ("kind", "is_done"),
    [("drop_before", False), ("silent", False), ("execute_and_reset", True), ("execute_and_timeout", True)],
)
async def test_a_request_over_the_socket_is_done_or_not_and_the_connection_cut(venue, kind, is_done) -> None:
    await asyncio.to_thread(venue.fault, "order.place", kind, nth=1, args={"seconds": 0.1})
    async with connect(f"{venue.ws}/ws-api/v3", proxy=None) as socket:
        with pytest.raises(ConnectionClosedError):
            await placed(socket, kind)
    assert await found(venue, kind) is is_done


async def test_other_faults_of_requests_over_the_socket(venue) -> None:
    def fault(kind: str, **more: Any) -> None:
        venue.fault("order.place", kind, nth=1, **more)

    async with connect(f"{venue.ws}/ws-api/v3", proxy=None) as socket:
        await asyncio.to_thread(fault, "reject", args={"code": -1013, "message": "Filter failure: MAX_NUM_ORDERS"})
        answer = await placed(socket, "rejected")
        assert (answer["status"], answer["error"]["code"]) == (400, -1013)
        await asyncio.to_thread(fault, "execute_and_5xx")
        answer = await placed(socket, "unknown")
        assert (answer["status"], answer["error"]["code"]) == (503, -1007)
        await asyncio.to_thread(fault, "garbage")
        with pytest.raises(json.JSONDecodeError):
            await placed(socket, "garbage")
        await asyncio.to_thread(fault, "delay", args={"seconds": 0.5})
        await socket.send(json.dumps({"method": "order.place", "params": credentials(**MARKET_ORDER), "id": "late"}))
        assert (await asked(socket, "ping", {}))["result"] == {}  # what comes later is not held up
        assert (await received(socket))["id"] == "late"
        assert [await found(venue, name) for name in ("rejected", "unknown", "garbage")] == [False, True, True]
        await asyncio.to_thread(fault, "maintenance", args={"seconds": 0.2})
        assert (await placed(socket, "refused"))["status"] == 503
        while (await placed(socket, "later"))["status"] == 503:
            pass


async def test_every_socket_is_cut_when_asked_and_after_a_day(venue) -> None:
    async with (
        connect(f"{venue.ws}/ws-api/v3", proxy=None) as api,
        connect(f"{venue.ws}/ws", proxy=None) as streams,
    ):
        await asyncio.to_thread(venue.control.post, "/disconnect")
        for socket in (api, streams):
            with pytest.raises(ConnectionClosedError):
                await received(socket)
    async with connect(f"{venue.ws}/ws", proxy=None) as socket:
        await asyncio.to_thread(venue.control.post, "/clock", json={"offset_ms": 24 * 3_600_000})
        with pytest.raises(ConnectionClosedError):
            await received(socket)


async def test_the_account_s_streams_expire_and_the_sockets_stay(venue) -> None:
    key = await asyncio.to_thread(venue.listen_key)
    async with (
        connect(f"{venue.ws}/ws/{key}", proxy=None) as stream,
        connect(f"{venue.ws}/ws-api/v3", proxy=None) as api,
    ):
        await asked(api, "userDataStream.subscribe.signature", credentials())
        await asyncio.to_thread(venue.control.post, "/logout")
        assert (await received(stream))["listenKey"] == key
        assert (await received(api))["event"]["e"] == "eventStreamTerminated"
        await asyncio.to_thread(venue.order)
        assert (await asked(api, "ping", {}))["result"] == {}  # no event before the answer
    assert await asyncio.to_thread(venue.listen_key) != key


async def test_the_account_is_subscribed_to_by_signature(venue) -> None:
    async with connect(f"{venue.ws}/ws-api/v3", proxy=None) as socket:
        answer = await asked(socket, "userDataStream.subscribe.signature", credentials())
        assert answer["result"] == {"subscriptionId": 0}
        await asyncio.to_thread(venue.order)
        event = await received(socket)
        assert (event["subscriptionId"], event["event"]["x"]) == (0, "NEW")


async def account_events(venue: RunningVenue, count: int) -> list[str]:
    key = await asyncio.to_thread(venue.listen_key)
    async with connect(f"{venue.ws}/ws/{key}", proxy=None) as socket:
        # Placed and taken back: how many trades an order makes depends on what others left in the book.
        placed = await asyncio.to_thread(venue.order, type="LIMIT", timeInForce="GTC", price="20000.00")
        await asyncio.to_thread(venue.call, "DELETE", "order", symbol="BTCUSDT", orderId=placed.json()["orderId"])
        texts: list[str] = []
        while len(texts) < count:
            async with asyncio.timeout(5):
                text = str(await socket.recv())
            texts.append(json.loads(text).get("x", "position") if text.endswith("}") else "garbage")
        return texts


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ({"kind": "duplicate_event", "nth": 2}, ["NEW", "position", "CANCELED", "CANCELED", "position"]),
        ({"kind": "omit_event", "nth": 1}, ["position", "CANCELED", "position"]),
        ({"kind": "reorder_events", "nth": 1}, ["position", "NEW", "CANCELED", "position"]),
        ({"kind": "repeat_last", "nth": 2}, ["NEW", "position", "position", "position"]),
        ({"kind": "garbage", "nth": 1}, ["garbage", "position", "CANCELED", "position"]),
    ],
)
async def test_events_of_the_account_go_wrong_as_asked(venue, fault, expected) -> None:
    await asyncio.to_thread(venue.fault, "executionReport", **fault)
    assert await account_events(venue, len(expected)) == expected


async def test_one_stream_goes_silent_while_others_speak(venue) -> None:
    async with connect(f"{venue.ws}/stream?streams={TRADES}/ethusdt@trade", proxy=None) as socket:
        while (await received(socket))["stream"] != TRADES:
            pass
        await asyncio.to_thread(venue.fault, TRADES, "silent", nth=1, args={"seconds": 1.5})
        spoken = []
        until = time.monotonic() + 0.45
        while time.monotonic() < until:
            spoken.append((await received(socket))["stream"])
        assert TRADES not in spoken[len(spoken) // 2 :]
        assert "ethusdt@trade" in spoken
        while (await received(socket))["stream"] != TRADES:  # it speaks again
            pass
