from __future__ import annotations

import asyncio

import pytest
from tests.fakes import FastClock, Listener

from vela.adapters.bus.memory import MemoryBus
from vela.domain.events import ServiceBeat, ServiceState, Topic
from vela.services.service import Service


class Idle(Service):
    name = "idle"

    async def work(self) -> None:
        await asyncio.Event().wait()


class Brief(Service):
    name = "brief"

    async def work(self) -> None:
        await asyncio.sleep(0.025)


class Broken(Service):
    name = "broken"

    async def work(self) -> None:
        raise RuntimeError("broken")


async def beats_of(service: type[Service], restarts: int = 0) -> list[ServiceBeat]:
    bus = MemoryBus(FastClock())
    listener = Listener(bus, Topic.HEALTH)
    made = service(bus, FastClock())
    made.restarts = restarts
    await made.run()
    await bus.settled()  # what was said before the end is heard after it
    seen = len(listener.messages)
    await asyncio.sleep(0.03)
    assert len(listener.messages) == seen, "a service that has ended beats on"
    return listener.of(ServiceBeat)


async def test_a_service_beats_every_second_while_it_works_and_not_after() -> None:
    beats = await beats_of(Brief, restarts=3)
    assert len(beats) in {2, 3}
    assert {(b.service, b.state, b.restarts) for b in beats} == {("brief", ServiceState.RUNNING, 3)}
    assert [b.time for b in beats] == sorted({b.time for b in beats})


async def test_a_beat_says_what_else_there_is_to_say() -> None:
    class Talking(Brief):
        def __init__(self, *arguments) -> None:
            super().__init__(*arguments)
            self.detail = "so it is"

    assert {beat.detail for beat in await beats_of(Talking)} == {"so it is"}
    assert {beat.detail for beat in await beats_of(Brief)} == {""}


async def test_the_error_of_the_work_comes_out() -> None:
    with pytest.raises(RuntimeError, match="broken"):
        await beats_of(Broken)


async def test_cancelling_ends_work_and_beats() -> None:
    bus = MemoryBus(FastClock())
    listener = Listener(bus, Topic.HEALTH)
    running = asyncio.create_task(Idle(bus, FastClock()).run())
    await asyncio.sleep(0.02)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    seen = len(listener.messages)
    await asyncio.sleep(0.03)
    assert 0 < seen == len(listener.messages)


async def test_by_default_a_service_collects_under_its_name_and_needs_no_start_or_stop() -> None:
    service = Idle(MemoryBus(FastClock()), FastClock())
    await service.start()
    await service.stop()
    assert service.consumers == ("idle",)
