"""Tells what was committed: from the outbox to the bus."""

from __future__ import annotations

import asyncio
from typing import Final

from vela.domain.crashpoints import crashpoint
from vela.ports.bus import Bus
from vela.ports.outbox import Outbox

_AT_ONCE: Final = 100


class Announcer:
    """Passes on what waits in the outbox, beside whoever goes on with more urgent work.

    What was published and not acknowledged before a crash is published again; consumers act once on what comes twice.
    """

    def __init__(self, bus: Bus, outbox: Outbox) -> None:
        """Begin with nothing under way."""
        self._bus = bus
        self._outbox = outbox
        self._is_due = False
        self._telling: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """There is something to tell: pass it on, as soon as the event loop comes to it."""
        self._is_due = True
        if self._telling is None or self._telling.done():
            self._telling = asyncio.create_task(self._tell(), name="announce")

    async def done(self) -> None:
        """Return once all is told.

        Raises:
            BusError: it could not be published.
            StorageError: the outbox cannot be used.
        """
        if self._telling is not None:
            telling, self._telling = self._telling, None
            await telling

    async def stop(self) -> None:
        """Leave what is not told yet to whoever comes after."""
        if self._telling is not None:
            self._telling.cancel()
            await asyncio.gather(self._telling, return_exceptions=True)

    async def _tell(self) -> None:
        while self._is_due:
            self._is_due = False
            waiting = await self._outbox.pending(limit=_AT_ONCE)
            for one in waiting:
                await self._bus.publish(one.message)
            if waiting:
                crashpoint("P25")
                await self._outbox.acknowledge(waiting[-1].number)
            self._is_due |= len(waiting) == _AT_ONCE
