"""Time, handed in."""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    """The market's time: the wall clock when live, the recording's time in a replay."""

    def now(self) -> int:
        """Return the time in ms UTC; never goes back."""
        ...

    def monotonic(self) -> float:
        """Return seconds of a clock that only measures durations of real time."""
        ...

    async def sleep_until(self, time: int) -> None:
        """Return once the market's time is `time` (ms UTC); at once if it has passed."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return after that many seconds of real time."""
        ...
