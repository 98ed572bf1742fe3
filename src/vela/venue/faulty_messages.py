"""Messages of a stream, on their way through the faults."""

from __future__ import annotations

from vela.ports.clock import Clock
from vela.venue.faults import OF_MESSAGES, FaultKind, FaultPlan

_GARBAGE = '{"e": "gar'
_FOR_EVER_S = 86_400.0


class FaultyMessages:
    """One connection's messages. Faults are drawn per message and per connection."""

    def __init__(self, plan: FaultPlan, clock: Clock) -> None:
        """Follow `plan`; `clock` tells how long silences last."""
        self._plan = plan
        self._clock = clock
        self._last: dict[str, str] = {}
        self._held: list[str] = []
        self._wanted = 0
        self._silent_until: dict[str, float] = {}

    def through(self, names: tuple[str, ...], text: str) -> list[str]:
        """Return what is sent instead of `text`, a message of the stream `names[0]`."""
        stream = names[0]
        fault = self._plan.hit(names, OF_MESSAGES)
        if fault is not None and fault.kind is FaultKind.SILENT:
            seconds = _FOR_EVER_S if fault.args.seconds is None else fault.args.seconds
            self._silent_until[stream] = self._clock.monotonic() + seconds
        if self._clock.monotonic() < self._silent_until.get(stream, 0.0):
            return []
        if fault is not None and fault.kind is FaultKind.REORDER_EVENTS:
            self._wanted = fault.args.count
        if self._wanted:
            return self._hold(text)
        sent = self._changed(fault.kind if fault is not None else None, stream, text)
        if fault is None:
            self._last[stream] = text
        return sent

    def _hold(self, text: str) -> list[str]:
        self._held.append(text)
        if len(self._held) < self._wanted:
            return []
        turned, self._held, self._wanted = self._held[::-1], [], 0
        return turned

    def _changed(self, kind: FaultKind | None, stream: str, text: str) -> list[str]:
        match kind:
            case FaultKind.OMIT_EVENT:
                return []
            case FaultKind.DUPLICATE_EVENT:
                return [text, text]
            case FaultKind.REPEAT_LAST:
                return [self._last.get(stream, text)]
            case FaultKind.GARBAGE:
                return [_GARBAGE]
            case _:
                return [text]
