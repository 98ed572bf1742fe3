from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from functools import partial

import pytest
from tests.fakes import FastClock, Listener, until

from vela.adapters.bus.memory import MemoryBus
from vela.domain.errors import BusError, ConfigurationError, StorageLocked, StorageUnavailable, VenueUnavailable
from vela.domain.events import Alert, Envelope, MarketEnded, Message, ServiceBeat, ServiceState, Topic
from vela.services.service import Service
from vela.services.supervisor import Group, ServicesFailed, Supervisor


class Double(Service):
    """A service that can be told to fail, and that remembers what was done with it."""

    name = "double"

    def __init__(self, bus: MemoryBus, clock: FastClock, name: str, fails_at_start: Exception | None = None) -> None:
        super().__init__(bus, clock)
        self.name = name
        self.fails_at_start = fails_at_start
        self.breaks = asyncio.Event()
        self.ends = asyncio.Event()
        self.log: list[str] = []
        bus.subscribe(name, Topic.CANDLES)

    async def start(self) -> None:
        self.log.append("start")
        if self.fails_at_start is not None:
            raise self.fails_at_start

    async def work(self) -> None:
        self.log.append("work")
        ending = asyncio.create_task(self.ends.wait())
        breaking = asyncio.create_task(self.breaks.wait())
        try:
            await asyncio.wait([ending, breaking], return_when=asyncio.FIRST_COMPLETED)
            if self.breaks.is_set():
                raise RuntimeError(f"{self.name} broke")
        except asyncio.CancelledError:
            self.log.append("cancelled")
            raise
        finally:
            ending.cancel()
            breaking.cancel()

    async def stop(self) -> None:
        self.log.append("stop")


class Stage:
    """A supervisor with groups of doubles. `made`: every double ever built, by name."""

    def __init__(self) -> None:
        self.clock = FastClock()
        self.bus = MemoryBus(self.clock)
        self.heard = Listener(self.bus, Topic.HEALTH, Topic.ALERTS)
        self.supervisor = Supervisor(self.bus, self.clock)
        self.made: dict[str, list[Double]] = {}
        self.start_errors: dict[str, list[Exception | None]] = {}

    async def start(self, name: str, *members: str, is_essential: bool = True) -> None:
        async def build() -> Sequence[Service]:
            return [self._make(member) for member in members]

        await self.supervisor.start(Group(name, build, is_essential))

    def _make(self, name: str) -> Double:
        errors = self.start_errors.get(name)
        double = Double(self.bus, self.clock, name, errors.pop(0) if errors else None)
        self.made.setdefault(name, []).append(double)
        return double

    def newest(self, name: str) -> Double:
        return self.made[name][-1]

    def states(self, name: str) -> list[tuple[ServiceState, int]]:
        beats = [(b.state, b.restarts) for b in self.heard.of(ServiceBeat) if b.service == name]
        return [beat for index, beat in enumerate(beats) if index == 0 or beat != beats[index - 1]]

    async def break_again_and_again(self, name: str, times: int) -> None:
        for number in range(1, times + 1):
            await until(partial(self.works, name, number))
            self.newest(name).breaks.set()

    def works(self, name: str, number: int) -> bool:
        return len(self.made[name]) == number and "work" in self.newest(name).log


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    made = Stage()
    yield made
    await made.supervisor.stop(cleanly=False)


async def test_services_start_in_order_and_beat(stage: Stage) -> None:
    await stage.start("group", "a", "b")
    assert [stage.newest(name).log for name in "ab"] == [["start"], ["start"]]
    await until(lambda: (ServiceState.RUNNING, 0) in stage.states("b"))
    starting = [b.service for b in stage.heard.of(ServiceBeat) if b.state is ServiceState.STARTING]
    assert starting == ["a", "b"]
    assert stage.states("a") == [(ServiceState.STARTING, 0), (ServiceState.RUNNING, 0)]


async def test_a_service_that_dies_is_replaced_with_its_whole_group_and_no_other(stage: Stage) -> None:
    await stage.start("group", "a", "b")
    await stage.start("other", "c")
    await until(lambda: stage.newest("b").log == ["start", "work"])
    stage.newest("a").breaks.set()
    await until(lambda: (ServiceState.RUNNING, 1) in stage.states("b"))
    assert {name: len(made) for name, made in stage.made.items()} == {"a": 2, "b": 2, "c": 1}
    assert stage.made["b"][0].log == ["start", "work", "cancelled"]
    assert stage.made["b"][1].log == ["start", "work"]
    assert stage.newest("c").log == ["start", "work"]
    for name in "ab":
        assert stage.states(name) == [
            (ServiceState.STARTING, 0),
            (ServiceState.RUNNING, 0),
            (ServiceState.FAILED, 0),
            (ServiceState.STARTING, 1),
            (ServiceState.RUNNING, 1),
        ]
    [alert] = stage.heard.of(Alert)
    assert alert.level == "critical"
    assert "group failed" in alert.text
    assert "a broke" in alert.text
    assert "a broke" in next(b.detail for b in stage.heard.of(ServiceBeat) if b.state is ServiceState.FAILED)


async def test_what_the_dead_have_not_handled_is_forgotten(stage: Stage) -> None:
    await stage.start("group", "a")
    await stage.bus.publish(MarketEnded(time=1))  # a double consumes nothing
    stage.newest("a").breaks.set()
    await until(lambda: len(stage.made["a"]) == 2)
    await asyncio.wait_for(stage.bus.settled(), 1)


async def test_an_essential_group_that_fails_five_times_within_a_minute_ends_everything(stage: Stage) -> None:
    await stage.start("group", "a")
    await stage.start("other", "b")
    waiting = asyncio.create_task(stage.supervisor.wait())
    await stage.break_again_and_again("a", 5)
    with pytest.raises(ServicesFailed, match=r"a: 5 failures within 60 s, the last one .*a broke"):
        await asyncio.wait_for(waiting, 5)
    assert len(stage.made["a"]) == 5
    assert stage.newest("b").log == ["start", "work"], "whoever waits decides what becomes of the others"


async def test_another_group_is_given_up_and_holds_nobody_up(stage: Stage) -> None:
    await stage.start("extra", "a", is_essential=False)
    await stage.start("group", "b")
    waiting = asyncio.create_task(stage.supervisor.wait())
    await stage.break_again_and_again("a", 5)
    await until(lambda: len([b for b in stage.heard.of(ServiceBeat) if b.state is ServiceState.FAILED]) == 5)
    await asyncio.sleep(0.1)
    assert len(stage.made["a"]) == 5
    assert not waiting.done()
    assert stage.newest("b").log == ["start", "work"]
    stage.bus.unsubscribe("b")
    await stage.bus.publish(MarketEnded(time=1))
    await asyncio.wait_for(stage.bus.settled(), 1)
    waiting.cancel()


async def test_failures_further_apart_than_a_minute_are_borne(stage: Stage) -> None:
    await stage.start("group", "a")
    for number in range(1, 8):
        await until(partial(stage.works, "a", number))
        await stage.clock.sleep(20)
        stage.newest("a").breaks.set()
    await until(lambda: len(stage.made["a"]) == 8)


async def test_an_error_at_the_first_start_is_the_callers_and_leaves_nobody_listening(stage: Stage) -> None:
    stage.start_errors["b"] = [ConfigurationError("port 5000 is in use")]
    with pytest.raises(ConfigurationError, match="in use"):
        await stage.start("group", "a", "b")
    await stage.bus.publish(MarketEnded(time=1))
    await asyncio.wait_for(stage.bus.settled(), 1)
    assert stage.heard.of(Alert) == []


async def test_an_error_at_a_later_start_is_a_failure_like_others(stage: Stage) -> None:
    stage.start_errors["b"] = [None, ConfigurationError("no"), ConfigurationError("no")]
    await stage.start("group", "a", "b")
    await until(lambda: "work" in stage.newest("a").log)
    stage.newest("a").breaks.set()
    await until(lambda: len(stage.made["a"]) == 4 and "work" in stage.newest("a").log)
    assert stage.newest("b").restarts == 3
    assert len(stage.heard.of(Alert)) == 3


async def test_waiting_ends_when_all_work_is_done_and_not_before(stage: Stage) -> None:
    await stage.start("group", "a", "b")
    waiting = asyncio.create_task(stage.supervisor.wait())
    stage.newest("a").ends.set()
    await asyncio.sleep(0.02)
    assert not waiting.done()
    stage.newest("b").ends.set()
    await asyncio.wait_for(waiting, 1)


async def test_who_stops_waiting_stops_nothing_else(stage: Stage) -> None:
    await stage.start("group", "a")
    waiting = asyncio.create_task(stage.supervisor.wait())
    await until(lambda: "work" in stage.newest("a").log)
    waiting.cancel()
    await asyncio.sleep(0.02)
    assert stage.newest("a").log == ["start", "work"]


async def test_a_clean_stop_lets_services_finish_the_last_started_first(stage: Stage) -> None:
    await stage.start("first", "a")
    await stage.start("second", "b", "c")
    order: list[str] = []
    for name in "abc":
        stage.newest(name).log = order
    await until(lambda: order.count("work") == 3)
    for name in "abc":
        stage.newest(name).stop = _noting(order, name)  # type: ignore[method-assign]
    await stage.supervisor.stop(cleanly=True)
    assert order[-3:] == ["c", "b", "a"]


def _noting(order: list[str], name: str):
    async def stop() -> None:
        order.append(name)

    return stop


async def test_any_other_stop_lets_nobody_finish(stage: Stage) -> None:
    await stage.start("group", "a", "b")
    await until(lambda: "work" in stage.newest("b").log)
    await stage.supervisor.stop(cleanly=False)
    assert [stage.newest(name).log for name in "ab"] == [["start", "work", "cancelled"]] * 2


async def test_what_has_failed_has_nothing_to_finish(stage: Stage) -> None:
    await stage.start("group", "a", "b")
    await until(lambda: "work" in stage.newest("b").log)
    stage.newest("a").breaks.set()
    await until(lambda: stage.heard.of(Alert))
    await stage.supervisor.stop(cleanly=True)
    assert "stop" not in stage.made["a"][0].log + stage.made["b"][0].log


async def test_services_without_their_disk_are_tried_until_it_is_back(stage: Stage) -> None:
    full = StorageUnavailable("database or disk is full")
    stage.start_errors["a"] = [None, *[full] * 8, None]
    await stage.start("group", "a")
    await until(lambda: stage.works("a", 1))
    stage.newest("a").breaks.set()
    await until(lambda: stage.works("a", 10))
    assert len([alert for alert in stage.heard.of(Alert) if "disk is full" in alert.text]) == 8


# ------------------------------------------------------------------------------- beside others in their own processes


class RecordingClock(FastClock):
    """Remembers for how long was slept."""

    def __init__(self) -> None:
        self.slept: list[float] = []
        self.ahead = 0.0

    def monotonic(self) -> float:
        return self.ahead

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await super().sleep(seconds)


async def test_after_a_good_spell_the_next_pause_is_short_again() -> None:
    stage, clock = Stage(), RecordingClock()
    stage.supervisor = Supervisor(stage.bus, clock)
    await stage.start("a", "one")
    for spell in (0.0, 0.0, 0.0, 31.0, 0.0):
        await until(lambda: "work" in stage.newest("one").log)
        clock.ahead += spell
        made = len(stage.made["one"])
        stage.newest("one").breaks.set()
        await until(lambda: len(stage.made["one"]) > made)  # noqa: B023  within this turn
        clock.ahead += 20.0  # so many failures within a minute would be the end
    assert clock.slept == [0.2, 0.4, 0.8, 0.2, 0.4]
    await stage.supervisor.stop(cleanly=False)


async def test_what_waits_for_a_group_that_keeps_messages_survives_a_start_that_fails() -> None:
    stage = Stage()
    stage.start_errors["one"] = [None, StorageUnavailable("the server is away")]

    async def build() -> Sequence[Service]:
        return [stage._make("one")]

    await stage.supervisor.start(Group("a", build, is_essential=True, keeps_messages=True))
    stage.newest("one").breaks.set()
    await stage.bus.publish(MarketEnded(time=1))
    await until(lambda: len(stage.made["one"]) == 3 and "work" in stage.newest("one").log)
    seen: list[int] = []

    async def take(envelope: Envelope) -> None:
        seen.append(envelope.message.time)

    consuming = asyncio.create_task(stage.bus.consume("one", take))
    await until(lambda: seen)
    consuming.cancel()
    await stage.supervisor.stop(cleanly=False)


async def test_who_has_lost_the_record_to_another_instance_leaves_at_once() -> None:
    stage = Stage()
    await stage.start("a", "one")
    stage.start_errors["one"] = [StorageLocked("another running Vela has taken over this record")]
    stage.newest("one").breaks.set()
    with pytest.raises(ServicesFailed, match="another running Vela has taken over"):
        await asyncio.wait_for(stage.supervisor.wait(), 5)
    assert len(stage.made["one"]) == 2


async def test_a_bus_that_is_away_does_not_end_the_one_who_restarts_others() -> None:
    stage = Stage()
    await stage.start("a", "one")
    publish = stage.bus.publish

    async def away(message: Message) -> None:
        raise BusError("Redis is away")

    stage.bus.publish = away  # type: ignore[method-assign]
    stage.newest("one").breaks.set()
    await until(lambda: len(stage.made["one"]) == 2 and "work" in stage.newest("one").log)
    stage.bus.publish = publish  # type: ignore[method-assign]
    await stage.supervisor.stop(cleanly=False)


async def test_a_group_is_renewed_without_having_failed(stage: Stage) -> None:
    await stage.start("group", "a", "b")
    await stage.start("other", "c")
    await until(lambda: stage.newest("b").log == ["start", "work"])
    await stage.supervisor.renew("group", cleanly=True)
    assert stage.made["a"][0].log == ["start", "work", "cancelled", "stop"]
    await until(partial(stage.works, "a", 2))
    assert len(stage.made["c"]) == 1
    assert stage.heard.of(Alert) == []
    assert all(state is not ServiceState.FAILED for state, _ in stage.states("a"))
    await stage.supervisor.renew("group", cleanly=False)
    assert stage.made["a"][1].log == ["start", "work", "cancelled"]
    await until(partial(stage.works, "b", 3))


async def test_what_the_replaced_have_not_handled_is_forgotten(stage: Stage) -> None:
    await stage.start("group", "a")
    await stage.bus.publish(MarketEnded(time=1))  # a double consumes nothing
    await stage.supervisor.renew("group", cleanly=True)
    await asyncio.wait_for(stage.bus.settled(), 1)


async def test_fresh_services_that_cannot_start_are_tried_again_as_after_a_failure(stage: Stage) -> None:
    await stage.start("group", "a")
    await until(partial(stage.works, "a", 1))
    stage.start_errors["a"] = [VenueUnavailable("not now"), None]
    await stage.supervisor.renew("group", cleanly=True)
    await until(lambda: stage.heard.of(Alert))
    assert "not now" in stage.heard.of(Alert)[0].text
    await until(partial(stage.works, "a", 3))


async def test_a_renewal_that_meets_a_failure_comes_about_all_the_same(stage: Stage) -> None:
    await stage.start("group", "a")
    await until(partial(stage.works, "a", 1))
    stage.newest("a").breaks.set()
    await asyncio.wait_for(stage.supervisor.renew("group", cleanly=True), 5)
    await until(partial(stage.works, "a", len(stage.made["a"])))
