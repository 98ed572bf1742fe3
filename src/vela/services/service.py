"""What every service is: something that starts, works until cancelled, shows that it lives, and stops."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

from vela.domain.errors import BusError
from vela.domain.events import ServiceBeat, ServiceState
from vela.ports.bus import Bus
from vela.ports.clock import Clock

BEAT_SECONDS = 1.0


class Service(ABC):
    """A service. A failed one is thrown away and a new one is made: starting and recovering are the same."""

    name: str

    def __init__(self, bus: Bus, wall_clock: Clock) -> None:
        """`wall_clock` times the beats."""
        self.bus = bus
        self.wall_clock = wall_clock
        self.restarts = 0
        self.detail = ""  # what else a beat says

    @property
    def consumers(self) -> tuple[str, ...]:
        """The names under which it collects messages."""
        return (self.name,)

    async def start(self) -> None:  # noqa: B027  optional to override
        """Load what is needed, before any message is handled. The base needs nothing."""

    @abstractmethod
    async def work(self) -> None:
        """Do the work until cancelled, or until there is none left."""

    async def stop(self) -> None:  # noqa: B027  optional to override
        """Finish cleanly after `work` was cancelled. The base has nothing to finish."""

    async def run(self) -> None:
        """Work and beat."""
        beating = asyncio.create_task(self._beat())
        try:
            await self.work()
        finally:
            beating.cancel()

    async def _beat(self) -> None:
        while True:
            beat = ServiceBeat(
                time=self.wall_clock.now(),
                service=self.name,
                state=ServiceState.RUNNING,
                restarts=self.restarts,
                detail=self.detail,
            )
            with suppress(BusError):  # the next one may pass; who works finds out soon enough
                await self.bus.publish(beat)
            await self.wall_clock.sleep(BEAT_SECONDS)


async def run_together(*work: Coroutine[Any, Any, None]) -> None:
    """Run all until each is done or one fails; then, or when cancelled, none of them goes on.

    Raises:
        Exception: what the first that failed raised.
    """
    tasks = [asyncio.create_task(one) for one in work]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
