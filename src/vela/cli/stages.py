"""A bar on stderr for work in stages, shown only when it takes longer than one would notice."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

_NOTICED_AFTER_SECONDS = 0.5


@contextmanager
def stages(total: int) -> Iterator[Callable[[str], None]]:
    """Yield a function that is told of every new stage; `total` is how many there will be.

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
    task = bar.add_task("", total=total)
    begun = -1

    def enter(stage: str) -> None:
        nonlocal begun
        begun += 1
        bar.update(task, description=stage, completed=begun)

    timer = threading.Timer(_NOTICED_AFTER_SECONDS, bar.start)
    timer.daemon = True
    timer.start()
    try:
        yield enter
    finally:
        timer.cancel()
        timer.join()
        bar.stop()
