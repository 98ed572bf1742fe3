"""A stream: a snapshot and the numbered events that follow on it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import msgspec

# An event's name and body.
Event = tuple[str, dict[str, Any]]


class Stream(ABC):
    """Collects changes until they are flushed. Numbers are given at the flush, so every follower sees the same ones."""

    def __init__(self, name: str) -> None:
        """Start at number 0. `name`: what clients call it."""
        self.name = name
        self.seq = 0
        self._encoded: bytes | None = None

    def flush(self) -> list[Event]:
        """Return what changed since the last flush, numbered."""
        if not self._is_changed():
            return []
        self._encoded = None
        if self._needs_snapshot():
            self.seq += 1  # nobody gets this number: whoever follows notices and asks for the snapshot
        events: list[Event] = []
        for event, body in self._changes():
            self.seq += 1
            events.append((event, {"stream": self.name, "seq": self.seq, **body}))
        self._forget()
        return events

    def discard(self) -> None:
        """Forget what changed; nobody follows. One number goes by for it all."""
        if self._is_changed():
            self._encoded = None
            self.seq += 1
            self._forget()

    def snapshot(self) -> bytes:
        """Return the state after the last flush, as JSON. Call it right after a flush or a discard."""
        if self._encoded is None:
            self._encoded = self._encode(self._state())
        return self._encoded

    def _encode(self, state: dict[str, Any]) -> bytes:
        return msgspec.json.encode({"stream": self.name, "seq": self.seq, **state})

    @abstractmethod
    def _is_changed(self) -> bool: ...

    @abstractmethod
    def _needs_snapshot(self) -> bool: ...

    @abstractmethod
    def _changes(self) -> list[Event]: ...

    @abstractmethod
    def _forget(self) -> None: ...

    @abstractmethod
    def _state(self) -> dict[str, Any]: ...
