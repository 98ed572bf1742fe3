"""Faults on demand: what goes wrong, where and when, the same for the same seed and the same requests."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum
from fnmatch import fnmatchcase

import msgspec
import numpy as np

from vela.domain.errors import ConfigurationError


class FaultKind(StrEnum):
    """What goes wrong."""

    DROP_BEFORE = "drop_before"
    EXECUTE_AND_TIMEOUT = "execute_and_timeout"
    EXECUTE_AND_5XX = "execute_and_5xx"
    EXECUTE_AND_RESET = "execute_and_reset"
    DELAY = "delay"
    REJECT = "reject"
    DUPLICATE_EVENT = "duplicate_event"
    REORDER_EVENTS = "reorder_events"
    OMIT_EVENT = "omit_event"
    SILENT = "silent"
    REPEAT_LAST = "repeat_last"
    GARBAGE = "garbage"
    BAN = "ban"
    MAINTENANCE = "maintenance"


OF_REQUESTS = frozenset(FaultKind) - {
    FaultKind.DUPLICATE_EVENT,
    FaultKind.REORDER_EVENTS,
    FaultKind.OMIT_EVENT,
    FaultKind.REPEAT_LAST,
}
OF_MESSAGES = frozenset(
    {
        FaultKind.DUPLICATE_EVENT,
        FaultKind.REORDER_EVENTS,
        FaultKind.OMIT_EVENT,
        FaultKind.SILENT,
        FaultKind.REPEAT_LAST,
        FaultKind.GARBAGE,
    }
)


class FaultArguments(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a fault goes.

    Attributes:
        seconds: how long a delay, a silence, a ban or a maintenance lasts, of real time.
        status: HTTP status of `execute_and_5xx` and `reject`.
        code, message: of the error that is sent, in the dialect's words.
        count: how many messages `reorder_events` turns round.
    """

    seconds: float | None = None
    status: int | None = None
    code: int | None = None
    message: str | None = None
    count: int = 2


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One fault.

    Attributes:
        endpoint: where, as a pattern: `POST /api/v3/order`, `/api/v3/*`, `executionReport`, `btcusdt@kline_1m`, `*`.
        kind: what goes wrong.
        nth: only at the nth time, counted from 1; None: every time.
        probability: with this chance each time, above 0 up to 1; None: always.
        args: how.
    """

    endpoint: str
    kind: FaultKind
    nth: int | None = None
    probability: float | None = None
    args: FaultArguments = FaultArguments()

    def __post_init__(self) -> None:
        if self.nth is not None and self.probability is not None:
            raise ConfigurationError("a fault has nth and probability; accepted: one of them, or neither")
        if self.nth is not None and self.nth < 1:
            raise ConfigurationError(f"nth was {self.nth}; accepted: 1 or more")
        if self.probability is not None and not 0 < self.probability <= 1:
            raise ConfigurationError(f"probability was {self.probability}; accepted: above 0, up to 1")
        if self.args.seconds is not None and not 0 <= self.args.seconds < 86_400:
            raise ConfigurationError(f"seconds was {self.args.seconds}; accepted: 0 or more, below 86400")
        if self.args.count < 2:
            raise ConfigurationError(f"count was {self.args.count}; accepted: 2 or more")


class FaultPlan:
    """The faults that were asked for."""

    def __init__(self, seed: int) -> None:
        """Draw chances from `seed`."""
        self._random = np.random.Generator(np.random.PCG64(seed))
        self._faults: list[Fault] = []
        self._met: list[int] = []  # how often each was met

    @property
    def faults(self) -> tuple[Fault, ...]:
        """All of them, oldest first."""
        return tuple(self._faults)

    def add(self, fault: Fault) -> None:
        """Let something go wrong from now on."""
        self._faults.append(fault)
        self._met.append(0)

    def clear(self) -> None:
        """Let everything go well from now on."""
        self._faults.clear()
        self._met.clear()

    def hit(self, names: Collection[str], kinds: Collection[FaultKind]) -> Fault | None:
        """Return what goes wrong this time with something of these `names`, if anything does."""
        hit = None
        for index, fault in enumerate(self._faults):
            if fault.kind not in kinds or not any(fnmatchcase(name, fault.endpoint) for name in names):
                continue
            self._met[index] += 1
            is_due = fault.nth in {None, self._met[index]}
            if fault.probability is not None:  # drawn even if another fault came first: adding one moves no chance
                is_due = bool(self._random.random() < fault.probability)
            if is_due and hit is None:
                hit = fault
        return hit
