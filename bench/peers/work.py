"""What all adapters share: candles, the rules' numbers, the stopwatch. It needs numpy alone, which every peer has."""

from __future__ import annotations

import gc
import json
import resource
import sys
import time
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

# So large that it makes no difference whether a tool rounds quantities, and not a multiple of the stake, so that none
# decides by its last bit whether the money lasts.
CAPITAL, STAKE = 10_000_000.0, 480_000.0
ALL = 1 - 1e-9
"""All in, for tools that refuse an order by the last bit of a quotient."""
FAST, SLOW = 10, 30
PERIOD, OVERSOLD, OVERBOUGHT = 14, 30.0, 70.0
STOP_LOSS, TAKE_PROFIT = 0.02, 0.04
MINUTE_MS = 60_000

MOST_RUNS, PATIENCE_SECONDS = 7, 20.0
LONG_SECONDS = 30.0


class Market(NamedTuple):
    """Columns of shape `(candles,)`, or `(symbols, candles)` where there are several; times in ms UTC."""

    open_time: NDArray[np.int64]
    open: NDArray[np.float64]
    high: NDArray[np.float64]
    low: NDArray[np.float64]
    close: NDArray[np.float64]
    volume: NDArray[np.float64]

    @property
    def length(self) -> int:
        return self.open.shape[-1]

    @property
    def symbols(self) -> int:
        return self.open.size // self.length

    def symbol(self, number: int) -> Market:
        return Market(self.open_time, *(column[number] for column in self[1:]))

    def rows(self, times_ms: NDArray[np.int64]) -> NDArray[np.int64]:
        return (times_ms - self.open_time[0]) // MINUTE_MS


class Answer(NamedTuple):
    """Equity at the last close, and where positions were opened (symbol × candles + row), asked for untimed."""

    equity: float
    entries: Callable[[], NDArray[np.int64]]


Run = Callable[[], Answer]
Task = Callable[[Market], Run]
"""Puts the candles into the form that the peer takes, and returns what is timed."""


def load(file: Path) -> Market:
    with np.load(file) as columns:
        return Market(**columns)


def timed(run: Run) -> tuple[float, Answer]:
    gc.collect()  # what the run before left is not this one's burden
    began = time.perf_counter()
    answer = run()
    return time.perf_counter() - began, answer


def peak_mib() -> float:
    """Return the most memory that this process held; on Linux getrusage would count what its parent held, too."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(status.read_text().split("VmHWM:")[1].split()[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024**2 if sys.platform == "darwin" else 1024)


def main(package: str, tasks: Mapping[str, Task]) -> None:
    """Do TASK with CANDLES.npz, as the command line says: OUT.json gets the figures, OUT.npy the entries."""
    # A task that the peer cannot do is no fault; it leaves nothing.
    name, candles, out = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    if name not in tasks:
        return
    market = load(candles)
    run = tasks[name](market)
    first, answer = timed(run)
    # In so long a run nothing that happens once weighs: it counts, and is not repeated.
    seconds = [first] if first > LONG_SECONDS else []
    while not seconds or (len(seconds) < MOST_RUNS and sum(seconds) < PATIENCE_SECONDS):
        took, answer = timed(run)
        seconds.append(took)
    peak = peak_mib()
    entries = np.sort(answer.entries())
    np.save(out.with_suffix(".npy"), entries)
    figures = {
        "version": version(package) if package else "",
        "python": sys.version.split()[0],
        "ns": 1e9 * min(seconds) / market.open.size,
        "first_ns": 1e9 * first / market.open.size,
        "runs": len(seconds),
        "entries": len(entries),
        "equity": answer.equity,
        "peak_mib": peak,
    }
    out.with_suffix(".json").write_text(json.dumps(figures))
