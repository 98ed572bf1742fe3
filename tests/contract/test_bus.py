"""What every bus must do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from tests.fakes import ManualClock
from tests.redis_process import RedisProcess

from vela.adapters.bus.memory import MemoryBus
from vela.adapters.bus.redis.bus import RedisBus
from vela.adapters.redis.address import parse_address
from vela.adapters.redis.server import RedisServer
from vela.domain.errors import BusError, StorageUnavailable
from vela.domain.events import Alert, Envelope, MarketEnded, Message, Topic
from vela.ports.bus import Bus


@pytest.fixture(params=["memory", "redis"])
async def bus(request: pytest.FixtureRequest) -> AsyncIterator[Bus]:
    clock = ManualClock(5)
    if request.param == "memory":
        yield MemoryBus(clock, capacity=10)
        return
    process: RedisProcess = request.getfixturevalue("redis_process")
    bus = RedisBus(RedisServer(parse_address(process.url), clock), clock, capacity=10)
    yield bus
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    await bus.close()


def alert(text: str) -> Alert:
    return Alert(time=1, level="info", text=text)


class Collector:
    def __init__(self, bus: Bus, name: str, *topics: Topic) -> None:
        self.seen: list[Envelope] = []
        self.bus = bus
        self.name = name
        bus.subscribe(name, *topics)

    @property
    def texts(self) -> list[str]:
        return [envelope.message.text for envelope in self.seen if isinstance(envelope.message, Alert)]

    async def handle(self, envelope: Envelope) -> None:
        self.seen.append(envelope)

    def start(self) -> asyncio.Task[None]:
        return asyncio.create_task(self.bus.consume(self.name, self.handle))


async def test_every_consumer_gets_every_message_of_its_topics_once_and_in_order(bus: Bus) -> None:
    first, second = Collector(bus, "a", Topic.ALERTS), Collector(bus, "b", Topic.ALERTS, Topic.CANDLES)
    tasks = [first.start(), second.start()]
    for number in range(5):
        await bus.publish(alert(str(number)))
    await bus.publish(MarketEnded(time=2))
    await bus.settled()
    assert first.texts == second.texts == ["0", "1", "2", "3", "4"]
    assert [type(envelope.message) for envelope in second.seen[5:]] == [MarketEnded]
    assert len({envelope.id for envelope in second.seen}) == 6
    assert {envelope.published for envelope in first.seen} == {5}
    for task in tasks:
        task.cancel()


async def test_what_was_published_before_anyone_consumes_waits(bus: Bus) -> None:
    collector = Collector(bus, "late", Topic.ALERTS)
    await bus.publish(alert("early"))
    task = collector.start()
    await bus.settled()
    assert collector.texts == ["early"]
    task.cancel()


async def test_a_message_stays_until_its_handler_returned(bus: Bus) -> None:
    bus.subscribe("fragile", Topic.ALERTS)
    tries: list[str] = []

    async def fail_first(envelope: Envelope) -> None:
        tries.append(envelope.id)
        if len(tries) == 1:
            raise RuntimeError("broken")

    await bus.publish(alert("x"))
    with pytest.raises(RuntimeError, match="broken"):
        await bus.consume("fragile", fail_first)
    task = asyncio.create_task(bus.consume("fragile", fail_first))
    await bus.settled()
    assert len(tries) == 2
    assert len(set(tries)) == 1
    task.cancel()


async def test_a_message_that_kills_its_consumer_again_and_again_becomes_a_dead_letter(bus: Bus) -> None:
    bus.subscribe("victim", Topic.ALERTS)
    handled: list[str] = []

    async def choke_on_poison(envelope: Envelope) -> None:
        assert isinstance(envelope.message, Alert)
        if envelope.message.text == "poison":
            raise RuntimeError("poison")
        handled.append(envelope.message.text)

    await bus.publish(alert("poison"))
    await bus.publish(alert("food"))
    for _ in range(3):
        with pytest.raises(RuntimeError):
            await bus.consume("victim", choke_on_poison)
    task = asyncio.create_task(bus.consume("victim", choke_on_poison))
    await bus.settled()
    assert handled == ["food"]
    assert [letter.message.text for letter in bus.dead_letters() if isinstance(letter.message, Alert)] == ["poison"]
    task.cancel()


async def test_settled_waits_for_what_follows_from_a_message(bus: Bus) -> None:
    bus.subscribe("relay", Topic.CANDLES)
    collector = Collector(bus, "end", Topic.ALERTS)

    async def relay(_envelope: Envelope) -> None:
        await asyncio.sleep(0.01)
        await bus.publish(alert("relayed"))

    tasks = [asyncio.create_task(bus.consume("relay", relay)), collector.start()]
    await bus.publish(MarketEnded(time=1))
    await bus.settled()
    assert collector.texts == ["relayed"]
    for task in tasks:
        task.cancel()


async def test_a_publisher_waits_while_a_consumer_is_full_and_nothing_is_dropped(bus: Bus) -> None:
    collector = Collector(bus, "slow", Topic.ALERTS)
    publishing = asyncio.create_task(_publish(bus, [alert(str(n)) for n in range(25)]))
    await asyncio.sleep(0.01)
    assert not publishing.done()
    task = collector.start()
    await publishing
    await bus.settled()
    assert collector.texts == [str(n) for n in range(25)]
    task.cancel()


async def test_a_consumer_given_up_holds_nobody_up(bus: Bus) -> None:
    bus.subscribe("dead", Topic.ALERTS)
    publishing = asyncio.create_task(_publish(bus, [alert(str(n)) for n in range(25)]))
    await asyncio.sleep(0.01)
    bus.unsubscribe("dead")
    await asyncio.wait_for(publishing, 1)
    await asyncio.wait_for(bus.settled(), 1)


async def test_a_message_without_topic_or_with_foreign_parts_is_refused(bus: Bus) -> None:
    class Homeless(Message, frozen=True, kw_only=True):
        pass

    with pytest.raises(BusError, match="no topic"):
        await bus.publish(Homeless(time=1))
    with pytest.raises(BusError, match="cannot be encoded"):
        await bus.publish(Alert(time=1, level="info", text=object()))  # type: ignore[arg-type]


async def _publish(bus: Bus, messages: list[Alert]) -> None:
    for message in messages:
        await bus.publish(message)


async def test_a_try_that_fails_because_the_record_is_away_does_not_count(bus: Bus) -> None:
    tries = 0

    async def fail(_: Envelope) -> None:
        nonlocal tries
        tries += 1
        raise StorageUnavailable("not now")

    bus.subscribe("careful", Topic.ALERTS)
    await bus.publish(alert("kept"))
    for _ in range(5):
        with pytest.raises(StorageUnavailable):
            await bus.consume("careful", fail)
    assert tries == 5
    assert bus.dead_letters() == ()
    collector = Collector(bus, "careful", Topic.ALERTS)
    task = collector.start()
    await bus.settled()
    assert collector.texts == ["kept"]
    task.cancel()


async def test_it_tells_who_collects_a_topic(bus: Bus) -> None:
    assert await bus.consumers(Topic.ALERTS) == frozenset()
    bus.subscribe("a", Topic.ALERTS)
    bus.subscribe("b", Topic.ALERTS, Topic.CANDLES)
    await bus.publish(alert("any"))
    assert await bus.consumers(Topic.ALERTS) == {"a", "b"}
    bus.unsubscribe("a")
    await bus.publish(MarketEnded(time=1))
    assert await bus.consumers(Topic.ALERTS) == {"b"}
    assert await bus.consumers(Topic.WALLET) == frozenset()
