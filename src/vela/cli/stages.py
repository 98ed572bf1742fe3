"""A bar on stderr for work in stages, shown only when it takes longer than one would notice."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

_NOTICED_AFTER_SECONDS = 0.5


class Stages:
    """What is told how far the work has come."""

    def __init__(self, bar: Progress, total: int) -> None:
        """Begin before the first of `total` stages."""
        self._bar = bar
        self._task = bar.add_task("", total=total)
        self._begun = -1

    def enter(self, stage: str) -> None:
        """Begin the next stage."""
        self._begun += 1
        self._bar.update(self._task, description=stage, completed=self._begun)

    def part(self, done: float) -> None:
        """Say how much of the stage is done, 0 to 1."""
        self._bar.update(self._task, completed=self._begun + done)


@contextmanager
def stages(total: int) -> Iterator[Stages]:
    """Yield what is to be told of every new stage; `total` is how many there will be.

    Nothing is shown where stderr is no terminal.
    """
    bar = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True, highlight=False),
        transient=True,
        disable=not sys.stderr.isatty(),
    )
    timer = threading.Timer(_NOTICED_AFTER_SECONDS, bar.start)
    timer.daemon = True
    timer.start()
    try:
        yield Stages(bar, total)
    finally:
        timer.cancel()
        timer.join()
        bar.stop()
