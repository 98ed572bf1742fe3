from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import httpx
import pytest
import structlog
from tests.fakes import ManualClock
from tests.unit.dashboard.follower import Follower
from tests.unit.dashboard.samples import (
    MINUTE,
    START,
    Record,
    closed,
    decided,
    facts,
    history,
    ordered,
    workshop,
)

from vela.adapters.latest_values.memory import MemoryLatestValues
from vela.domain.errors import ConfigurationError, StorageError
from vela.domain.events import Envelope, Message, OrderChanged, Topic
from vela.domain.order import OrderStatus
from vela.ports.bus import Handler
from vela.ports.latest_values import PRICES, LatestPrice
from vela.services.dashboard import TOPICS, DashboardService, PageSettings


class OneConsumerBus:
    """Hands what is published to its one consumer."""

    def __init__(self) -> None:
        self.topics: set[Topic] = set()
        self._queue: asyncio.Queue[Message] = asyncio.Queue()

    async def publish(self, message: Message) -> None:
        await self._queue.put(message)

    def subscribe(self, consumer: str, *topics: Topic) -> None:
        assert consumer == "dashboard"
        self.topics |= set(topics)

    def unsubscribe(self, consumer: str) -> None:
        self.topics.clear()

    async def consume(self, consumer: str, handler: Handler) -> None:
        while True:
            message = await self._queue.get()
            await handler(Envelope("test-1", START, message))  # type: ignore[arg-type]
            self._queue.task_done()

    async def settled(self) -> None:
        await self._queue.join()

    async def consumers(self, topic: Topic) -> frozenset[str]:
        return frozenset({"dashboard"} if topic in self.topics else ())

    async def handled(self, consumer: str, topic: Topic, *, most: int) -> Sequence[Envelope]:
        return ()

    def dead_letters(self) -> tuple[Envelope, ...]:
        return ()


class WallClock(ManualClock):
    """Stands still, but sleeps as long as asked."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@pytest.fixture
def bus() -> OneConsumerBus:
    return OneConsumerBus()


def service_on(bus: OneConsumerBus, directory: Path, **changes) -> DashboardService:
    settings = PageSettings(directory / "data", port=changes.pop("port", 0), static=directory / "static")
    values = {"reader": Record, "history": history, "facts": facts(), "workshop": workshop(bus.publish), **changes}
    return DashboardService(bus, WallClock(START), settings=settings, **values)


@contextlib.asynccontextmanager
async def running(service: DashboardService) -> AsyncIterator[DashboardService]:
    await service.start()
    task = asyncio.create_task(service.run())
    try:
        yield service
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await service.stop()


@pytest.fixture
async def service(bus: OneConsumerBus, tmp_path: Path) -> AsyncIterator[DashboardService]:
    async with running(service_on(bus, tmp_path)) as made:
        yield made


async def logged_in(service: DashboardService) -> tuple[httpx.AsyncClient, str]:
    client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{service.port}")
    link = service.first_start_link()
    assert link is not None
    assert (await client.get(link)).status_code == 303
    return client, f"vela_session={client.cookies['vela_session']}"


async def test_from_the_printed_link_to_live_events(service, bus):
    client, cookie = await logged_in(service)
    follower = Follower()
    await follower.connect(service.port, cookie)
    snapshot = await follower.follow("BTC")
    for message in (closed(1000), decided(1000), ordered(1)):
        await bus.publish(message.message)
    [price] = await follower.until("price_update")
    assert price["closed"][0] == snapshot["candles"][-1][0] + MINUTE
    await follower.until("order_update")
    [session] = (await follower.until("session"))[:1]
    assert session["timeframe"] == "1m"
    assert follower.missed == 0
    assert (await client.get("/api/v1/snapshot")).json()["orders"][0]["client_order_id"] == "o-1"
    await follower.close()
    await client.aclose()


async def test_it_beats_and_shows_it(service, bus):
    async with httpx.AsyncClient() as client, asyncio.timeout(5):
        while True:
            answer = (await client.get(f"http://127.0.0.1:{service.port}/health")).json()
            if answer["services"]:
                break
            await asyncio.sleep(0.02)
    assert [(one["service"], one["status"]) for one in answer["services"]] == [("dashboard", "running")]


async def test_it_listens_to_everything_that_the_page_shows(service, bus):
    assert bus.topics == set(TOPICS)
    assert Topic.HISTORY not in bus.topics


async def test_a_message_that_cannot_be_shown_stops_nothing(service, bus, monkeypatch):
    client, _ = await logged_in(service)

    def broken(_: Envelope) -> None:
        raise RuntimeError("a bug")

    with structlog.testing.capture_logs() as logs:
        with monkeypatch.context() as patch:
            patch.setattr(service._projection, "apply", broken)
            await bus.publish(closed(1000).message)
            await bus.settled()
        await bus.publish(closed(1001).message)
        await bus.settled()
    assert [entry["event"] for entry in logs] == ["page.message_failed"]
    assert (await client.get("/api/v1/symbols/BTC")).json()["candles"][-1][0] == START + 1001 * MINUTE
    assert "vela_page_errors_total 1.0" in (await client.get("/metrics")).text
    await client.aclose()


async def test_a_flush_that_fails_stops_nothing(service, monkeypatch):
    async def broken() -> int:
        raise RuntimeError("a bug")

    with structlog.testing.capture_logs() as logs, monkeypatch.context() as patch:
        patch.setattr(service._viewers, "flush", broken)
        async with asyncio.timeout(5):
            while service._counts.flush_errors < 2:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    assert {entry["event"] for entry in logs} == {"page.flush_failed"}


async def test_a_port_in_use_is_said_plainly_and_leaves_nothing_behind(bus, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError, match=rf"port {port} is in use .*; accepted: a free port with --port"):
            await service_on(bus, tmp_path, port=port).start()
    assert bus.topics == set()


@pytest.mark.parametrize("host", ["no.such.host.invalid", "203.0.113.1", "not a host", "x" * 300])
async def test_a_host_of_another_machine_is_said_plainly(bus, tmp_path, host):
    service = DashboardService(
        bus,
        WallClock(START),
        reader=Record,
        history=history,
        facts=facts(),
        settings=PageSettings(tmp_path, host=host, port=0),
        workshop=workshop(bus.publish),
    )
    with pytest.raises(ConfigurationError, match="accepted: an address of this machine"):
        await service.start()


@pytest.mark.parametrize("port", [-1, 70_000])
async def test_a_port_that_is_none_is_said_plainly(bus, tmp_path, port):
    with pytest.raises(ConfigurationError, match="accepted: "):
        await service_on(bus, tmp_path, port=port).start()


async def test_a_record_that_cannot_be_read_gives_the_port_back(bus, tmp_path):
    def broken():
        raise StorageError("the record is gone")

    service = service_on(bus, tmp_path, reader=broken)
    with pytest.raises(StorageError):
        await service.start()
    assert bus.topics == set()
    async with running(service_on(bus, tmp_path, port=service.port)):
        pass


async def test_the_port_is_free_again_after_a_stop_and_the_login_holds(bus, tmp_path):
    async with running(service_on(bus, tmp_path)) as first:
        client, cookie = await logged_in(first)
        follower = Follower()
        await follower.connect(first.port, cookie)
        port = first.port
    async with running(service_on(bus, tmp_path, port=port)) as second:
        assert second.first_start_link() is None
        again = Follower()
        await again.connect(port, cookie)
        assert (await client.get("/api/v1/summary")).status_code == 200
        await again.close()
    await follower.close()
    await client.aclose()


async def test_an_order_told_before_the_start_is_not_lost(bus, tmp_path):
    service = service_on(bus, tmp_path)
    await bus.publish(OrderChanged(time=START, order=ordered(5, OrderStatus.SENT).message.order))
    async with running(service):
        await bus.settled()
        assert [order.client_order_id for order in service._projection.account._orders] == ["o-5"]


async def test_the_number_of_candles_kept_is_a_setting(bus, tmp_path):
    settings = PageSettings(tmp_path, port=0, candles=700)
    service = DashboardService(
        bus,
        WallClock(START),
        reader=Record,
        history=history,
        facts=facts(),
        settings=settings,
        workshop=workshop(bus.publish),
    )
    await service.start()
    assert {len(stream.candle_rows()) for stream in service._projection.symbols.values()} == {700}
    await service.stop()


async def test_work_before_start_is_a_bug(bus, tmp_path):
    with pytest.raises(RuntimeError, match="start comes before work"):
        await service_on(bus, tmp_path).work()


async def test_it_begins_with_the_newest_words_of_others_read_at_once(bus, tmp_path):
    class Counted(MemoryLatestValues):
        reads = 0

        async def snapshot(self, symbols):
            self.reads += 1
            return await super().snapshot(symbols)

    latest = Counted()
    btc = facts().instruments[0].symbol
    await latest.put(PRICES, {btc: LatestPrice(time=START * 10, price=4321.5)})
    async with running(service_on(bus, tmp_path, latest=latest)) as service:
        client, _ = await logged_in(service)
        shown = (await client.get("/api/v1/symbols")).json()
        await client.aclose()
    assert 4321.5 in [one["price"] for one in shown]
    assert latest.reads == 1
