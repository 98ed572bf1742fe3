from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from tests.fakes import Listener, ManualClock

from vela.adapters.bus.memory import MemoryBus
from vela.domain.errors import StorageUnavailable
from vela.domain.events import Alert, MarketEnded
from vela.ports.outbox import Outgoing
from vela.services.announcer import Announcer


class ListedOutbox:
    """An outbox in memory; fails once where it is told to."""

    def __init__(self, count: int, *, fails_at: str = "") -> None:
        self.waiting = [Outgoing(number, MarketEnded(time=number)) for number in range(1, count + 1)]
        self.fails_at = fails_at

    async def pending(self, *, limit: int) -> Sequence[Outgoing]:
        self._fail("pending")
        return self.waiting[:limit]

    async def acknowledge(self, up_to: int) -> None:
        self._fail("acknowledge")
        self.waiting = [one for one in self.waiting if one.number > up_to]

    def _fail(self, where: str) -> None:
        if self.fails_at == where:
            self.fails_at = ""
            raise StorageUnavailable("not now")


def times(heard: Listener) -> list[int]:
    return [message.time for message in heard.messages]


async def test_all_that_waits_is_told_in_order_and_forgotten() -> None:
    bus, outbox = MemoryBus(ManualClock()), ListedOutbox(250)
    heard, announcer = Listener(bus), Announcer(bus, outbox)
    announcer.begin()
    announcer.begin()
    await announcer.done()
    await bus.settled()
    assert times(heard) == list(range(1, 251))
    assert outbox.waiting == []
    await announcer.done()


async def test_what_comes_while_it_tells_is_told_as_well() -> None:
    bus, outbox = MemoryBus(ManualClock()), ListedOutbox(1)
    heard, announcer = Listener(bus), Announcer(bus, outbox)
    announcer.begin()
    await asyncio.sleep(0)
    outbox.waiting.append(Outgoing(2, Alert(time=2, level="info", text="later")))
    announcer.begin()
    await announcer.done()
    await bus.settled()
    assert times(heard) == [1, 2]


@pytest.mark.parametrize(("fails_at", "again"), [("pending", [1, 2]), ("acknowledge", [1, 2, 1, 2])])
async def test_after_a_failure_the_next_one_tells_again_what_is_not_forgotten(fails_at: str, again: list[int]) -> None:
    bus, outbox = MemoryBus(ManualClock()), ListedOutbox(2, fails_at=fails_at)
    heard, first = Listener(bus), Announcer(bus, outbox)
    first.begin()
    with pytest.raises(StorageUnavailable):
        await first.done()
    await first.stop()
    second = Announcer(bus, outbox)
    second.begin()
    await second.done()
    await bus.settled()
    assert times(heard) == again


async def test_stopped_it_leaves_what_is_not_told() -> None:
    bus, outbox = MemoryBus(ManualClock()), ListedOutbox(3)
    announcer = Announcer(bus, outbox)
    announcer.begin()
    await announcer.stop()
    assert len(outbox.waiting) == 3
