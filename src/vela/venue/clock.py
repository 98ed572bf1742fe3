"""The venue's own time."""

from __future__ import annotations

from vela.ports.clock import Clock


class VenueClock:
    """The venue's time: the machine's, set off by what somebody asked for."""

    def __init__(self, clock: Clock) -> None:
        """Follow `clock`."""
        self._clock = clock
        self.offset_ms = 0

    def now(self) -> int:
        """Return the venue's time, ms UTC."""
        return self._clock.now() + self.offset_ms
