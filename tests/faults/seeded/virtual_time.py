"""Time that passes only while nobody has anything to do, and then at once: the same steps in the same order always."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Mapping
from typing import Any

START = 1_700_000_000_000
"""When every life begins, ms UTC."""


class StandStill(Exception):
    """Everybody waits for somebody else."""


class _Leap(selectors.SelectSelector):
    """Instead of waiting, lets that much time have passed. Nothing ever comes from outside."""

    passed = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise StandStill("nobody will ever do anything again")
        self.passed += max(0.0, timeout)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time leaps from one thing to the next."""

    def __init__(self) -> None:
        self._leap = _Leap()
        self.problems: list[str] = []
        super().__init__(self._leap)
        self.set_exception_handler(self._note)

    def time(self) -> float:
        """Return the seconds that have passed."""
        return self._leap.passed

    def _note(self, _loop: asyncio.AbstractEventLoop, context: Mapping[str, Any]) -> None:
        self.problems.append(f"{context.get('message')}: {context.get('exception')!r}")


class VirtualClock:
    """The loop's time as a `Clock`, of the machine and the market alike."""

    def __init__(self, loop: asyncio.AbstractEventLoop, slowness: float = 1.0) -> None:
        """`slowness`: how many times longer than asked for this machine sleeps."""
        self._loop = loop
        self.slowness = slowness

    def now(self) -> int:
        return START + round(self._loop.time() * 1000)

    def monotonic(self) -> float:
        return self._loop.time()

    async def sleep_until(self, time: int) -> None:
        await asyncio.sleep(max(0, time - self.now()) / 1000)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds * self.slowness)
