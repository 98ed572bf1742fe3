"""Fakes that behave, for tests that need a port and not the real thing."""

from __future__ import annotations

import asyncio


class ManualClock:
    """A clock that a test moves by hand; sleeping takes no real time."""

    def __init__(self, now: int = 0) -> None:
        self._now = now
        self.seconds = 0.0

    def now(self) -> int:
        return self._now

    def set(self, now: int) -> None:
        self._now = max(self._now, now)

    def monotonic(self) -> float:
        return self.seconds

    async def sleep_until(self, time: int) -> None:
        self.set(time)
        await asyncio.sleep(0)

    async def sleep(self, seconds: float) -> None:
        self.seconds += seconds
        await asyncio.sleep(0)
