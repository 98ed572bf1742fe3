"""Many lives, one after the other or in several processes."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from rich.console import Console
from rich.progress import Progress
from tests.faults.seeded.life import Account, Lives

_CHUNK = 10
_QUIET = 50  # nothing is logged below CRITICAL


def _lived(first_and_last: tuple[int, int]) -> list[Account]:
    return [quiet_lives().live(seed) for seed in range(*first_and_last)]


def quiet_lives() -> Lives:
    """Return what lives in this process, where nothing is logged any more."""
    if not _made:
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(_QUIET))
        _made.append(Lives())
    return _made[0]


_made: list[Lives] = []  # one in each process


@contextmanager
def _accounts(chunks: list[tuple[int, int]], jobs: int) -> Iterator[Iterator[list[Account]]]:
    if jobs == 1:
        yield map(_lived, chunks)
        return
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        yield pool.imap(_lived, chunks)


def run(first: int, seeds: int, jobs: int, console: Console) -> list[Account]:
    """Live through seeds, with progress."""
    found: list[Account] = []
    chunks = [(start, min(start + _CHUNK, first + seeds)) for start in range(first, first + seeds, _CHUNK)]
    with Progress(console=console) as progress, _accounts(chunks, jobs) as accounts:
        task = progress.add_task("lives", total=seeds)
        for chunk in accounts:
            found += chunk
            progress.advance(task, len(chunk))
            for account in chunk:
                for breach in account.breaches:
                    progress.console.print(f"seed {account.seed}: {breach}", style="red", markup=False)
    return found
