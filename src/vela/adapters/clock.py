"""The two clocks: the machine's and the recording's. Nothing else in Vela reads the time."""

from __future__ import annotations

import asyncio
import time

_LONGEST_NAP_S = 60.0  # the wall clock may be set while somebody sleeps
_LONGEST_BURST_S = 0.02  # at full speed others wait no longer than this for their turn
_LATEST_CATCH_UP_S = 5.0


class SystemClock:
    """The wall clock, kept from going back."""

    def __init__(self) -> None:
        self._newest = 0

    def now(self) -> int:
        """See `Clock.now`."""
        self._newest = max(self._newest, time.time_ns() // 1_000_000)
        return self._newest

    def monotonic(self) -> float:
        """See `Clock.monotonic`."""
        return time.monotonic()

    async def sleep_until(self, time: int) -> None:
        """See `Clock.sleep_until`."""
        while (remaining := time - self.now()) > 0:  # noqa: ASYNC110  no event tells the time
            await asyncio.sleep(min(remaining / 1000, _LONGEST_NAP_S))

    async def sleep(self, seconds: float) -> None:
        """See `Clock.sleep`."""
        await asyncio.sleep(seconds)


class SimulatedClock:
    """The market's time in a simulation: whoever plays the market sets it, and it stands still in between.

    With a `speed`, `sleep_until` paces the player: market time passes `speed` times as fast as real time, measured from
    a fixed moment, so that small delays do not add up. Without one it returns at once.
    """

    def __init__(self, start: int, speed: float | None) -> None:
        """Stand at `start` (ms UTC). `speed`: market seconds per real second, above 0; None: as fast as it goes."""
        self.speed = speed
        self._now = start
        self._anchor: tuple[int, float] | None = None  # market time (ms) and real time (s) that belong together
        self._last_turn = time.monotonic()

    def now(self) -> int:
        """See `Clock.now`."""
        return self._now

    def monotonic(self) -> float:
        """See `Clock.monotonic`."""
        return time.monotonic()

    def set(self, time: int) -> None:
        """Move to `time` (ms UTC); an earlier one is ignored."""
        self._now = max(self._now, time)

    def skip(self, time: int) -> None:
        """Move to `time` (ms UTC) without the real time that would take: nothing happened on the way."""
        self.set(time)
        self._anchor = None

    async def sleep_until(self, time: int) -> None:
        """Return when it is time to move the clock to `time` (ms UTC); the clock itself is not moved.

        A player that has fallen behind by more than five seconds goes on from where it is, without a rush to catch up.
        """
        if self.speed is None:
            await self._give_others_a_turn()
            return
        real = self.monotonic()
        if self._anchor is None:
            self._anchor = (self._now, real)
        market_start, real_start = self._anchor
        delay = real_start + (time - market_start) / 1000 / self.speed - real
        if delay < -_LATEST_CATCH_UP_S:
            self._anchor = (time, real)
        await asyncio.sleep(max(0.0, delay))

    async def sleep(self, seconds: float) -> None:
        """See `Clock.sleep`."""
        await asyncio.sleep(seconds)

    async def _give_others_a_turn(self) -> None:
        if self.monotonic() - self._last_turn > _LONGEST_BURST_S:
            await asyncio.sleep(0)
            self._last_turn = self.monotonic()
