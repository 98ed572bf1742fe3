"""Results of a run, in one JSON file: written by the runner, read and doubted by whoever draws them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec

TASKS = ("crossover", "reversion", "shared")
YARDSTICK = "c"

Positive = Annotated[float, msgspec.Meta(gt=0)]
Count = Annotated[int, msgspec.Meta(ge=1)]


class Machine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where it was measured."""

    processor: str
    cores: Count
    memory_gib: Positive
    system: str


class Figure(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One tool at one task.

    Attributes:
        ns, first_ns: nanoseconds a candle, best of `runs` and of the run before them, which does not count.
        entries, equity: how many positions it opened, and what the account was worth at the last close.
        peak_mib: the most memory that the process held.
        agrees: the same entries as the yardstick, candle by candle, and the same equity to a millionth.
    """

    peer: str
    task: str
    version: str
    python: str
    ns: Positive
    first_ns: Positive
    runs: Count
    entries: Count
    equity: Positive
    peak_mib: Positive
    agrees: bool


class Results(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything of one run; `date` in ISO form, `candles` by task."""

    date: str
    machine: Machine
    candles: dict[str, Count]
    figures: tuple[Figure, ...]

    def ratios(self, task: str) -> list[tuple[Figure, float]]:
        """Return who did equal work at a task, fastest first, each with its time as a multiple of the yardstick's."""
        equal = sorted((one for one in self.figures if one.task == task and one.agrees), key=lambda one: one.ns)
        yardstick = next(one.ns for one in equal if one.peer == YARDSTICK)
        return [(one, one.ns / yardstick) for one in equal]


def read(file: Path) -> Results:
    """Read what `write` wrote.

    Raises:
        ValueError: it is no such file, or its figures cannot be.
    """
    try:
        results = msgspec.json.decode(file.read_bytes(), type=Results)
    except msgspec.MsgspecError as e:
        raise ValueError(f"{file.name}: {e}") from e
    names = [(one.task, one.peer) for one in results.figures]
    if len(set(names)) < len(names):
        raise ValueError(f"{file.name}: a tool was measured twice at the same task")
    for task in {one.task for one in results.figures}:
        if task not in TASKS or task not in results.candles:
            raise ValueError(f"{file.name}: unknown task {task!r}; known: {', '.join(TASKS)}")
        if not any(one.peer == YARDSTICK and one.agrees for one in results.figures if one.task == task):
            raise ValueError(f"{file.name}: nothing to compare with at {task}; each task needs {YARDSTICK!r}")
    return results


def write(results: Results, file: Path) -> None:
    file.write_bytes(msgspec.json.format(msgspec.json.encode(results), indent=2) + b"\n")
