"""Backtests as jobs, for tests: requests, a store and a runner that need no disk and no process."""

from __future__ import annotations

import asyncio
import gzip
import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

from vela.domain.errors import JobFailed
from vela.domain.jobs import BacktestRequest, Job, JobState
from vela.ports.jobs import FINISHED_KEPT, JobResult, Progress

REQUEST = BacktestRequest("SmaCrossover", {"fast": "10"})
RESULT = JobResult({"trades": 3, "sharpe": None, "final_equity": "1001.5"}, gzip.compress(b"{}"), gzip.compress(b"<p>"))


def job(job_id: str = "j1", state: JobState = JobState.QUEUED, **changes) -> Job:
    return Job(job_id, REQUEST, 1_000, state, **changes)


def moved(known: Job, state: JobState, **changes) -> Job:
    return msgspec.structs.replace(known, state=state, **changes)


def has_ended(pid: int) -> bool:
    """Say whether a process has ended; a zombie has, and whoever adopted it will bury it."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    state = Path(f"/proc/{pid}/stat")
    return state.exists() and state.read_text().split()[2] == "Z"


class MemoryJobStore:
    """A `JobStore` that outlives the services of a test."""

    def __init__(self, *jobs: Job) -> None:
        self.kept = {job.id: job for job in jobs}
        self.results: dict[str, JobResult] = {}

    async def add(self, job: Job) -> bool:
        is_new = job.id not in self.kept
        self.kept.setdefault(job.id, job)
        return is_new

    async def update(self, job: Job, result: JobResult | None = None) -> None:
        if job.id not in self.kept or self.kept[job.id].state.is_final:
            return
        self.kept[job.id] = msgspec.structs.replace(job, stage="", progress=float(job.state is JobState.DONE))
        if result is not None:
            self.results[job.id] = result
        finished = [known.id for known in self.kept.values() if known.state.is_final]
        for old in finished[:-FINISHED_KEPT]:
            del self.kept[old]
            self.results.pop(old, None)

    async def jobs(self) -> Sequence[Job]:
        return tuple(self.kept.values())

    async def result(self, job_id: str) -> JobResult | None:
        return self.results.get(job_id)


class ManualRunner:
    """A `JobRunner` whose jobs go on when the test says so; `strategy` of the request names the job."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.running: dict[str, asyncio.Future[JobResult]] = {}
        self.told: dict[str, Progress] = {}

    async def run(self, request: BacktestRequest, progress: Progress) -> JobResult:
        name = request.strategy
        self.begun.append(name)
        self.running[name] = asyncio.get_running_loop().create_future()
        self.told[name] = progress
        try:
            return await self.running[name]
        finally:
            del self.running[name]

    def finish(self, name: str) -> None:
        self.running[name].set_result(RESULT)

    def fail(self, name: str, error: Exception | None = None) -> None:
        self.running[name].set_exception(error or JobFailed("no candles; accepted: some"))
