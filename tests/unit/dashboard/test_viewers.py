from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import socketio
from aiohttp import ClientSession, WSMsgType
from tests.unit.dashboard.follower import Follower, cookie
from tests.unit.dashboard.samples import (
    BTC,
    ETH,
    MINUTE,
    START,
    XSS,
    closed,
    decided,
    decision,
    envelope,
    filled,
    moved,
    ordered,
    trade,
)

from vela.dashboard import viewers as limits
from vela.dashboard.app import Sources, build_app
from vela.dashboard.gate import Hosts
from vela.dashboard.server import PageServer, bind
from vela.domain.events import DecisionsMade, PositionClosed


class Served:
    """A page on a free port."""

    def __init__(self, sources: Sources, static: Path) -> None:
        self.sources = sources
        self.projection = sources.projection
        self.viewers = sources.viewers
        self._bound = bind("127.0.0.1", 0)
        self.port = self._bound.getsockname()[1]
        self.server = PageServer(build_app(sources, Hosts("127.0.0.1"), static), self._bound)

    async def follower(self, *symbols: str) -> Follower:
        follower = Follower()
        await follower.connect(self.port, cookie(self.sources.tokens))
        for symbol in symbols:
            await follower.follow(symbol)
        return follower

    async def tell(self, *messages) -> None:
        for message in messages:
            self.projection.apply(message)
        await self.viewers.flush()


@pytest.fixture
async def page(sources: Sources, static: Path) -> AsyncIterator[Served]:
    served = Served(sources, static)
    serving = asyncio.create_task(served.server.run_until_stopped())
    try:
        yield served
    finally:
        await served.viewers.close()
        served.server.stop()
        await serving


@pytest.fixture
async def one(page: Served) -> AsyncIterator[Follower]:
    follower = await page.follower("BTC")
    yield follower
    await follower.close()


async def test_a_connection_begins_with_the_snapshot(page, one):
    assert one.account["stream"] == "account"
    assert len(one.symbols["BTC"]["candles"]) == 500
    assert page.sources.counts.viewers == 1
    await one.close()
    async with asyncio.timeout(5):
        while page.sources.counts.viewers:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_deltas_follow_on_the_snapshot(page, one):
    await page.tell(closed(1000), decided(1000), ordered(7), moved(START + 1001 * MINUTE + 1, 101.0))
    [price] = await one.until("price_update")
    assert price["closed"] == [START + 1000 * MINUTE, 100.0, 101.0, 99.0, 100.0, 2.0]
    assert price["symbol"] == {"base": "BTC", "quote": "USDT", "full": "BTCUSDT"}
    assert price["seq"] == one.symbols["BTC"]["seq"] + 1
    [order] = await one.until("order_update")
    assert order["client_order_id"] == "o-7"
    await one.until("decision")
    assert one.missed == 0


async def test_only_followed_symbols_arrive(page, one):
    await page.tell(closed(1000, ETH), closed(1000, BTC))
    await one.until("price_update")
    assert {body["stream"] for _, body in one.events} == {"BTC"}
    assert await one.socket.call("unsubscribe_symbol", {"symbol": "BTC"}, timeout=5) == {"ok": True}
    await page.tell(closed(1001, BTC), ordered(8))
    await one.until("order_update")
    assert len(await one.until("price_update")) == 1


async def test_a_snapshot_holds_all_before_it_and_the_stream_all_after(page, one):
    """Whoever joins in the middle of unflushed changes sees each of them exactly once."""
    page.projection.apply(closed(1000))
    page.projection.apply(decided(1000))
    page.projection.apply(envelope(PositionClosed(time=START, trade=trade(900))))
    late = await page.follower("BTC")
    assert late.symbols["BTC"]["candles"][-1][0] == START + 1000 * MINUTE
    assert late.symbols["BTC"]["decisions"][0]["candle_time"] == START + 1000 * MINUTE
    assert late.account["trades"][0]["entry_time"] == START + 900 * MINUTE
    await page.tell(closed(1001))
    [price] = await late.until("price_update")
    assert (price["closed"][0], late.missed) == (START + 1001 * MINUTE, 0)
    assert [body["entry_time"] for body in await one.until("trade")] == [START + 900 * MINUTE]
    assert len(await one.until("price_update", 2)) == 2
    assert one.missed == 0
    await late.close()


async def test_who_draws_no_chart_asks_for_few_candles(page, one):
    whole = one.symbols["BTC"]["candles"]
    for count in (0, 7, 500):
        answer = await one.socket.call("subscribe_symbol", {"symbol": "BTC", "candles": count}, timeout=5)
        assert answer["candles"] == whole[len(whole) - count :]
    await page.tell(closed(1000))
    assert len(await one.until("price_update")) == 1


async def test_two_followers_get_identical_sequences(page, one):
    other = await page.follower("BTC")
    for minute in range(1000, 1040):
        await page.tell(closed(minute), decided(minute), ordered(minute), filled(minute))
    for follower in (one, other):
        await follower.until("fill", 40)
        await follower.until("decision", 40)
    assert one.events == other.events
    for stream in ("BTC", "account"):
        numbers = one.numbers(stream)
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    await other.close()


async def test_who_comes_and_goes_while_all_moves_misses_nothing(page):
    """State after any snapshot and the deltas on it is the server's own state."""
    running = True

    async def market() -> None:
        minute = 1000
        while running:
            for message in (closed(minute), decided(minute), envelope(PositionClosed(time=0, trade=trade(minute)))):
                page.projection.apply(message)
                await asyncio.sleep(0.001)
            if minute % 3 == 0:
                await page.viewers.flush()
            minute += 1
        await page.viewers.flush()

    moving = asyncio.create_task(market())
    for _ in range(4):
        short = await page.follower("BTC")
        await asyncio.sleep(0.05)
        await short.close()
    last = await page.follower("BTC")
    await asyncio.sleep(0.2)
    running = False
    await moving
    final = await page.follower("BTC")
    for snapshot in (final.account, final.symbols["BTC"]):
        await last.reach(snapshot)
    closed_rows = [
        row
        for event, body in last.events
        if event == "price_update"
        for row in body.get("closed_many", [body["closed"]])
    ]
    assert last.missed == 0
    assert (last.symbols["BTC"]["candles"] + closed_rows)[-500:] == final.symbols["BTC"]["candles"]
    trades = [body["entry_time"] for event, body in last.events if event == "trade"]
    known = [shown["entry_time"] for shown in last.account["trades"]]
    assert [*reversed(trades), *known][:200] == [shown["entry_time"] for shown in final.account["trades"]]
    for follower in (last, final):
        await follower.close()


async def test_a_skipped_number_tells_that_the_snapshot_is_needed(page, one):
    await page.tell(*(closed(minute) for minute in range(1000, 1600)))
    await one.until("price_update")
    assert one.missed == 1
    assert (await one.follow("BTC"))["candles"][0][0] == START + 1100 * MINUTE


async def test_text_passes_as_text(page, one):
    made = decision(1000, reason=XSS)
    await page.tell(envelope(DecisionsMade(time=START, decisions=(made,))))
    [body] = await one.until("decision")
    assert body["reason"] == XSS


@pytest.mark.parametrize(
    ("event", "data"),
    [
        ("subscribe_symbol", None),
        ("subscribe_symbol", {}),
        ("subscribe_symbol", "BTC"),
        ("subscribe_symbol", ["BTC"]),
        ("subscribe_symbol", {"symbol": 7}),
        ("subscribe_symbol", {"symbol": None}),
        ("subscribe_symbol", {"symbol": "DOGE"}),
        ("subscribe_symbol", {"symbol": "account"}),
        ("subscribe_symbol", {"symbol": "BTC", "candles": -1}),
        ("subscribe_symbol", {"symbol": "BTC", "candles": 501}),
        ("subscribe_symbol", {"symbol": "BTC", "candles": 1.0}),
        ("subscribe_symbol", {"symbol": "BTC", "candles": True}),
        ("subscribe_symbol", {"symbol": "BTC", "candles": "5"}),
        ("subscribe_symbol", {"symbol": "../BTC\x00"}),
        ("subscribe_symbol", {"symbol": "x" * 3000}),
        ("subscribe_symbol", ({"symbol": "BTC"}, 2)),
        ("unsubscribe_symbol", {"symbol": []}),
        ("snapshot", [1]),
        ("snapshot", 7),
        ("place_order", {"symbol": "BTC"}),
        ("connect", {}),
        ("disconnect", "bye"),
        ("*", {}),
        ("__proto__", {}),
    ],
)
async def test_malformed_messages_are_answered_with_what_is_accepted(page, one, event, data):
    answer = await one.socket.call(event, data, timeout=5)
    assert set(answer) == {"error", "accepted"}
    assert len(str(answer)) < 400
    assert (await one.follow("BTC"))["stream"] == "BTC"
    assert page.sources.counts.refused_messages == 1


@pytest.mark.parametrize("data", [{}, None])
async def test_a_snapshot_can_be_asked_for(page, one, data):
    await page.tell(ordered(9))
    for _ in range(2):
        assert (await one.socket.call("snapshot", data, timeout=5))["orders"][0]["client_order_id"] == "o-9"


async def test_a_flood_is_refused_and_others_are_served(page, one, monkeypatch):
    monkeypatch.setattr(limits, "ASKS_PER_SECOND", 0.1)  # a flood on a machine that is busy is slow
    other = await page.follower()
    answers = await asyncio.gather(*(one.socket.call("snapshot", 7, timeout=10) for _ in range(limits.BURST + 50)))
    assert any("too many" in answer["error"] for answer in answers)
    assert "stream" in await other.socket.call("snapshot", {}, timeout=5)
    await other.close()


@pytest.mark.parametrize(
    "frame",
    [
        "4garbage",
        "42{}",
        "42[]",
        '42[{"a":1}]',
        "42[[]]",
        '42["snapshot"',
        "40",  # connected already
        "44{}",
        "451-[]",
        "4" + "[" * 3000,
        "x",
        "",
        "9",
        "42" + "a" * 100_000,
        b"\x00\x01",
    ],
)
async def test_frames_that_are_no_socket_io_harm_nobody(page, one, frame, caplog):
    headers = {"Cookie": cookie(page.sources.tokens)}
    url = f"ws://127.0.0.1:{page.port}/socket.io/?EIO=4&transport=websocket"
    async with ClientSession() as session, session.ws_connect(url, headers=headers) as raw:
        await raw.receive()
        await raw.send_str("40")
        await raw.receive()
        await (raw.send_bytes(frame) if isinstance(frame, bytes) else raw.send_str(frame))
        await asyncio.sleep(0.05)
    await page.tell(closed(1000))
    await one.until("price_update")
    assert "Traceback" not in caplog.text


async def refused(page: Served, follower: Follower, value: str, **headers: str) -> bool:
    try:
        await follower.connect(page.port, value, **headers)
    except socketio.exceptions.ConnectionError:
        return not page.sources.counts.viewers
    finally:
        await follower.close()
    return False


async def test_without_a_good_cookie_there_is_no_connection(page):
    good = cookie(page.sources.tokens)
    for value in ("", "vela_session=", "vela_session=9999999999999.x.00", good[:-1] + "g"):
        assert await refused(page, Follower(), value)


async def test_a_foreign_origin_or_host_gets_no_connection_even_with_a_good_cookie(page):
    good = cookie(page.sources.tokens)
    for headers in (
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": f"http://127.0.0.1:{page.port + 1}"},
        {"Host": "evil.example"},
        {"Host": f"evil.example:{page.port}", "Origin": f"http://evil.example:{page.port}"},
    ):
        assert await refused(page, Follower(), good, **headers)
    follower = Follower()
    await follower.connect(page.port, good, Origin=f"http://127.0.0.1:{page.port}")
    await follower.close()


async def test_polling_is_not_offered(page):
    url = f"http://127.0.0.1:{page.port}/socket.io/?EIO=4&transport=polling"
    async with ClientSession(headers={"Cookie": cookie(page.sources.tokens)}) as session, session.get(url) as answer:
        assert answer.status == 400
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_who_does_not_read_is_disconnected_and_the_others_go_on(page, one, monkeypatch):
    monkeypatch.setattr(limits, "LONGEST_QUEUE", 50)
    headers = {"Cookie": cookie(page.sources.tokens)}
    url = f"ws://127.0.0.1:{page.port}/socket.io/?EIO=4&transport=websocket"
    async with ClientSession() as session, session.ws_connect(url, headers=headers, max_msg_size=0) as raw:
        await raw.receive()
        await raw.send_str("40")
        await raw.receive()
        for minute in range(1000, 1400):
            for number in range(10):
                page.projection.apply(ordered(minute * 10 + number, reason="x" * 20_000))
            await page.viewers.flush()
            await asyncio.sleep(0.001)
            if page.sources.counts.slow_viewers:
                break
        assert page.sources.counts.slow_viewers >= 1
        while (await raw.receive()).type is WSMsgType.TEXT:
            pass
    assert "stream" in await (await page.follower()).socket.call("snapshot", {}, timeout=5)


@pytest.mark.parametrize("target", ["/../secret.txt", "/assets/../../secret.txt", "/%2e%2e/secret.txt", "//etc/passwd"])
async def test_paths_as_they_come_over_the_wire_lead_nowhere(page, target):
    reader, writer = await asyncio.open_connection("127.0.0.1", page.port)
    writer.write(f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
    answer = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    await writer.wait_closed()
    assert answer.startswith(b"HTTP/1.1 404")
    assert b"canary" not in answer
    assert b"server:" not in answer.lower()
