"""What the bus in Redis does beyond the contract of all buses."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack

import pytest
from tests.fakes import until
from tests.redis_process import RedisProcess

from vela.adapters.bus.redis.bus import RedisBus
from vela.adapters.clock import SystemClock
from vela.adapters.redis.address import parse_address
from vela.adapters.redis.server import RedisServer
from vela.domain.errors import BusError
from vela.domain.events import Alert, Envelope, MarketEnded, Topic

OpenBus = Callable[..., RedisBus]


@pytest.fixture
async def open_bus(redis_process: RedisProcess) -> AsyncIterator[OpenBus]:
    """Makes buses on the same Redis, as many processes would."""
    async with AsyncExitStack() as stack:

        def make(**options) -> RedisBus:
            clock = SystemClock()
            bus = RedisBus(RedisServer(parse_address(redis_process.url), clock), clock, **options)
            stack.push_async_callback(bus.close)
            return bus

        yield make
        await cancel_others()


async def cancel_others() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


def said(envelope: Envelope) -> str:
    message = envelope.message
    return message.text if isinstance(message, Alert) else str(message.time)


def collect(bus: RedisBus, name: str, seen: list[str]) -> asyncio.Task[None]:
    async def take(envelope: Envelope) -> None:
        seen.append(said(envelope))

    return asyncio.create_task(bus.consume(name, take))


async def test_order_holds_over_all_topics_when_more_waits_than_is_fetched_at_once(open_bus: OpenBus) -> None:
    bus = open_bus()
    bus.subscribe("reader", Topic.ALERTS, Topic.CANDLES, Topic.HEALTH)
    for number in range(700):
        if number * number % 7 != 1:  # of one topic much more than of the other, in no simple turn
            await bus.publish(Alert(time=1, level="info", text=str(number)))
        else:
            await bus.publish(MarketEnded(time=number))
    seen: list[str] = []
    collect(bus, "reader", seen)
    await bus.settled()
    assert seen == [str(number) for number in range(700)]


async def test_order_holds_over_publishers_and_after_a_crash_in_the_middle(open_bus: OpenBus) -> None:
    one, other = open_bus(source="one"), open_bus(source="other")
    one.subscribe("reader", Topic.ALERTS, Topic.CANDLES)
    for number in range(0, 300, 2):
        await one.publish(Alert(time=1, level="info", text=str(number)))
        await other.publish(MarketEnded(time=number + 1))
    tried: list[str] = []

    async def fail_at_150(envelope: Envelope) -> None:
        tried.append(said(envelope))
        if said(envelope) == "150":
            raise RuntimeError("crash")

    with pytest.raises(RuntimeError):
        await one.consume("reader", fail_at_150)
    collect(one, "reader", tried)
    await one.settled()
    assert tried == [str(number) for number in (*range(151), *range(150, 300))]


async def test_ids_tell_when_redis_took_a_message(open_bus: OpenBus, redis_process: RedisProcess) -> None:
    await open_bus().publish(MarketEnded(time=1))
    with redis_process.client() as client:
        [(entry_id, _)] = client.xrange("vela:market.candles")
    assert abs(int(entry_id.split(b"-")[0]) - time.time() * 1000) < 60_000


async def test_entries_of_others_with_ids_ahead_of_the_clock_are_no_obstacle(
    open_bus: OpenBus, redis_process: RedisProcess
) -> None:
    bus = open_bus()
    bus.subscribe("reader", Topic.ALERTS)
    await bus.publish(Alert(time=1, level="info", text="first"))
    with redis_process.client() as client:
        [(_, fields)] = client.xrange("vela:alerts")
        client.xadd("vela:alerts", fields, id=f"{int(time.time() * 1000) + 3_600_000}-5")
    await bus.publish(Alert(time=1, level="info", text="last"))
    seen: list[str] = []
    collect(bus, "reader", seen)
    await bus.settled()
    assert seen == ["first", "first", "last"]


async def test_what_many_tasks_publish_goes_together(open_bus: OpenBus, redis_process: RedisProcess) -> None:
    bus = open_bus()
    bus.subscribe("reader", Topic.ALERTS)
    await bus.publish(Alert(time=1, level="info", text="first"))
    with redis_process.client() as client:
        client.config_resetstat()
        await asyncio.gather(*(bus.publish(Alert(time=1, level="info", text=str(n))) for n in range(200)))
        stats = client.info("commandstats")
    assert stats["cmdstat_xadd"]["calls"] == 200
    assert stats["cmdstat_evalsha"]["calls"] <= 3
    seen: list[str] = []
    collect(bus, "reader", seen)
    await bus.settled()
    assert seen == ["first", *(str(n) for n in range(200))]


async def test_a_publisher_that_is_cancelled_while_it_waits_leaves_no_trace(open_bus: OpenBus) -> None:
    bus = open_bus(capacity=1)
    bus.subscribe("reader", Topic.ALERTS)
    await bus.publish(Alert(time=1, level="info", text="first"))
    waiting = [asyncio.create_task(bus.publish(Alert(time=1, level="info", text=str(n)))) for n in range(3)]
    await asyncio.sleep(0.05)
    waiting[0].cancel()
    seen: list[str] = []
    collect(bus, "reader", seen)
    await asyncio.gather(*waiting, return_exceptions=True)
    await bus.settled()
    assert seen == ["first", "1", "2"]


async def test_a_full_topic_holds_up_no_other(open_bus: OpenBus) -> None:
    bus = open_bus(capacity=1)
    bus.subscribe("reader", Topic.ALERTS)
    await bus.publish(Alert(time=1, level="info", text="first"))
    waiting = asyncio.create_task(bus.publish(Alert(time=1, level="info", text="second")))
    await asyncio.sleep(0.05)
    await asyncio.wait_for(bus.publish(MarketEnded(time=1)), 5)
    assert not waiting.done()


async def test_settled_waits_for_consumers_of_other_processes(open_bus: OpenBus) -> None:
    here, there = open_bus(), open_bus()
    there.subscribe("elsewhere", Topic.ALERTS)
    await there.publish(MarketEnded(time=1))
    await here.publish(Alert(time=1, level="info", text="x"))
    settling = asyncio.create_task(here.settled())
    await asyncio.sleep(0.05)
    assert not settling.done()
    seen: list[str] = []
    collect(there, "elsewhere", seen)
    await settling
    assert seen == ["x"]


async def test_a_consumer_is_given_up_for_all_processes(open_bus: OpenBus) -> None:
    here, there = open_bus(), open_bus()
    there.subscribe("elsewhere", Topic.ALERTS)
    await there.publish(Alert(time=1, level="info", text="x"))
    here.unsubscribe("elsewhere")
    await asyncio.wait_for(here.settled(), 5)


async def test_a_name_that_comes_back_has_what_waited_for_it(open_bus: OpenBus) -> None:
    first = open_bus()
    first.subscribe("reader", Topic.ALERTS)
    await first.publish(Alert(time=1, level="info", text="x"))
    again = open_bus()
    again.subscribe("reader", Topic.ALERTS)
    seen: list[str] = []
    collect(again, "reader", seen)
    await again.settled()
    assert seen == ["x"]


async def test_ids_of_messages_are_unique_over_processes_and_starts(open_bus: OpenBus) -> None:
    ids: list[str] = []

    async def take(envelope: Envelope) -> None:
        ids.append(envelope.id)

    buses = [open_bus(source="same") for _ in range(3)]
    buses[0].subscribe("reader", Topic.ALERTS)
    for bus in buses * 2:
        await bus.publish(Alert(time=1, level="info", text="x"))
    task = asyncio.create_task(buses[0].consume("reader", take))
    await until(lambda: len(ids) == 6)
    task.cancel()
    assert len(set(ids)) == 6


async def test_who_was_never_subscribed_cannot_consume(open_bus: OpenBus) -> None:
    with pytest.raises(BusError, match="'nobody' is subscribed to nothing"):
        await open_bus().consume("nobody", lambda _: asyncio.sleep(0))


def test_consumers_can_be_named_before_anything_runs(redis_process: RedisProcess) -> None:
    clock = SystemClock()
    bus = RedisBus(RedisServer(parse_address(redis_process.url), clock), clock)
    bus.subscribe("reader", Topic.ALERTS)
    seen: list[str] = []

    async def run() -> None:
        await bus.publish(Alert(time=1, level="info", text="x"))
        task = collect(bus, "reader", seen)
        await bus.settled()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await bus.close()

    asyncio.run(run())
    assert seen == ["x"]


async def test_who_starts_anew_looks_back_at_what_it_has_handled(
    open_bus: OpenBus, redis_process: RedisProcess
) -> None:
    bus = open_bus()
    assert await bus.handled("reader", Topic.CANDLES, most=3) == ()
    bus.subscribe("reader", Topic.CANDLES)
    bus.subscribe("slow", Topic.CANDLES)
    seen: list[str] = []
    reading = collect(bus, "reader", seen)
    for number in range(5):
        await bus.publish(MarketEnded(time=number))
    await until(lambda: len(seen) == 5)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    await bus.publish(MarketEnded(time=9))  # not handled yet
    later = open_bus()
    assert [said(one) for one in await later.handled("reader", Topic.CANDLES, most=3)] == ["2", "3", "4"]
    assert await later.handled("slow", Topic.CANDLES, most=3) == []
    # What it was given and did not finish is not among it.
    with redis_process.client() as client:
        client.xreadgroup("reader", "other", {"vela:market.candles": ">"})
    assert [said(one) for one in await later.handled("reader", Topic.CANDLES, most=3)] == ["3", "4"]


async def test_trimming_leaves_some_of_the_market_to_look_back_at(open_bus: OpenBus) -> None:
    bus = open_bus()
    bus.subscribe("reader", Topic.CANDLES, Topic.ALERTS)
    collect(bus, "reader", [])
    for number in range(1_000):
        await bus.publish(MarketEnded(time=number))
    await bus.settled()
    await bus.publish(MarketEnded(time=1_000))  # with this one, the stream is trimmed
    await bus.settled()
    left = [envelope.message.time for envelope in await bus.handled("reader", Topic.CANDLES, most=2_000)]
    assert left[-100:] == list(range(901, 1_001))
    assert len(left) < 200


def group_names(redis_process: RedisProcess) -> set[str]:
    with redis_process.client() as client:
        return {group["name"].decode() for group in client.xinfo_groups("vela:market.candles")}


async def test_those_who_take_the_place_of_others_begin_with_what_these_have_not_handled(
    open_bus: OpenBus, redis_process: RedisProcess
) -> None:
    bus = open_bus()
    await bus.replace("brain", ["brain-1-of-2", "brain-2-of-2"], Topic.CANDLES)
    for name in ("brain-1-of-2", "brain-2-of-2", "brainy"):
        bus.subscribe(name, Topic.CANDLES)
    for number in range(6):
        await bus.publish(MarketEnded(time=number))

    async def handle(name: str, last: str) -> None:
        seen: list[str] = []
        reading = collect(bus, name, seen)
        await until(lambda: last in seen)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)

    async def stop_at_3(envelope: Envelope) -> None:
        if said(envelope) == "3":
            raise RuntimeError("killed")

    await handle("brain-2-of-2", "5")
    with pytest.raises(RuntimeError, match="killed"):  # it holds 3 to 5, and has handled what was before
        await bus.consume("brain-1-of-2", stop_at_3)
    later = open_bus()
    await later.replace("brain", ["brain-1-of-3", "brain-2-of-3", "brain-3-of-3"], Topic.CANDLES)
    assert group_names(redis_process) == {"brain-1-of-3", "brain-2-of-3", "brain-3-of-3", "brainy"}
    for name in ("brain-1-of-3", "brain-2-of-3", "brain-3-of-3"):
        later.subscribe(name, Topic.CANDLES)
        seen: list[str] = []
        reading = collect(later, name, seen)
        await until(lambda: "5" in seen)  # noqa: B023  within this turn
        assert seen == ["3", "4", "5"]
        reading.cancel()
    # Once more changes nothing.
    await later.replace("brain", ["brain-1-of-3", "brain-2-of-3", "brain-3-of-3"], Topic.CANDLES)
    assert len(group_names(redis_process)) == 4


async def test_where_nobody_was_before_they_begin_with_the_next_message(open_bus: OpenBus) -> None:
    bus = open_bus()
    await bus.publish(MarketEnded(time=1))
    await bus.replace("brain", ["brain"], Topic.CANDLES)
    bus.subscribe("brain", Topic.CANDLES)
    await bus.publish(MarketEnded(time=2))
    seen: list[str] = []
    collect(bus, "brain", seen)
    await bus.settled()
    assert seen == ["2"]


async def test_who_was_replaced_while_it_runs_says_so_and_collects_no_more(open_bus: OpenBus) -> None:
    old = open_bus()
    await old.replace("brain", ["brain"], Topic.CANDLES)
    old.subscribe("brain", Topic.CANDLES)
    reading = collect(old, "brain", [])
    await open_bus().replace("brain", ["brain-1-of-2", "brain-2-of-2"], Topic.CANDLES)
    with pytest.raises(BusError, match="consumer brain was replaced by brain-1-of-2, brain-2-of-2; accepted: the same"):
        await asyncio.wait_for(reading, 10)
    assert await old.consumers(Topic.CANDLES) == {"brain-1-of-2", "brain-2-of-2"}
