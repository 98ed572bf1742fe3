"""Backtests as jobs: where they are kept, and what runs them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

import msgspec

from vela.domain.jobs import BacktestRequest, Figure, Job

FINISHED_KEPT = 200
"""Jobs in a final state that are kept, the newest ones; older ones are forgotten with their results."""

MOST_WAITING = 100
"""Jobs that may wait; more are refused."""

# (stage, how much of the job is done: 0 to 1)
Progress = Callable[[str, float], Awaitable[None]]


class JobResult(msgspec.Struct, frozen=True):
    """What a backtest brought.

    Attributes:
        summary: its figures.
        document: the whole result, JSON, compressed by gzip.
        report: the page for people, HTML, compressed by gzip.
    """

    summary: Mapping[str, Figure]
    document: bytes
    report: bytes


class JobStore(Protocol):
    """Jobs and their results, in the order in which they were added. What was written survives a crash.

    Every method raises `StorageError` if the store cannot be used; then nothing was written.
    """

    async def add(self, job: Job) -> bool:
        """Keep a new job; False, and nothing is changed, if its id is known."""
        ...

    async def update(self, job: Job, result: JobResult | None = None) -> None:
        """Write a known job's new state and its result in one step.

        A job that has reached a final state stays as it is. Finished ones beyond the newest `FINISHED_KEPT` are
        forgotten.
        """
        ...

    async def jobs(self) -> Sequence[Job]:
        """Return all that are kept, oldest first. How far one that runs has come is not kept."""
        ...

    async def result(self, job_id: str) -> JobResult | None:
        """Return a job's result, or None if it has none."""
        ...


class JobRunner(Protocol):
    """Runs backtests outside of the event loop."""

    async def run(self, request: BacktestRequest, progress: Progress) -> JobResult:
        """Run a backtest to its end. If cancelled, all its work has ended before this returns.

        Args:
            request: what to run.
            progress: told every new stage, and now and then how far it has come.

        Raises:
            JobFailed: it cannot be run, or broke.
        """
        ...
