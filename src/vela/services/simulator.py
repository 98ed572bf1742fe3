"""simulator: runs backtests as jobs, first come, first served, a few at once."""

from __future__ import annotations

import asyncio
from typing import Any

from msgspec.structs import replace

from vela.domain.errors import JobFailed
from vela.domain.events import BacktestRequested, Envelope, JobCancelRequested, JobChanged, Topic
from vela.domain.jobs import Job, JobState
from vela.ports.bus import Bus
from vela.ports.clock import Clock
from vela.ports.jobs import MOST_WAITING, JobResult, JobRunner, JobStore
from vela.services.service import Service, run_together


class SimulatorService(Service):
    """Every job is stored before it is acknowledged.

    After a restart those that waited wait on, and those that ran begin again: a backtest is deterministic.
    """

    name = "simulator"

    def __init__(self, bus: Bus, wall_clock: Clock, store: JobStore, runner: JobRunner, at_once: int) -> None:
        """`wall_clock` also stamps the jobs; `at_once`: how many may run, at least 1."""
        super().__init__(bus, wall_clock)
        self._store = store
        self._runner = runner
        self._at_once = at_once
        self._open: dict[str, Job] = {}  # those that wait or run
        self._queue: asyncio.Queue[str] = asyncio.Queue()
        self._running: dict[str, asyncio.Task[Any]] = {}
        bus.subscribe(self.name, Topic.JOBS)

    async def start(self) -> None:
        """Take up what is left to do."""
        for job in await self._store.jobs():
            if not job.state.is_final:
                self._enqueue(replace(job, state=JobState.QUEUED, started=None))
        for job in tuple(self._open.values()):
            await self._change(job)

    async def work(self) -> None:
        """Run jobs until cancelled; then no work of theirs goes on."""
        running = (self._run_jobs() for _ in range(self._at_once))
        await run_together(self.bus.consume(self.name, self._handle), *running)

    # ------------------------------------------------------------------------------------------------------- messages

    async def _handle(self, envelope: Envelope) -> None:
        message = envelope.message
        if isinstance(message, BacktestRequested):
            await self._take(Job(message.job_id, message.request, message.time))
        elif isinstance(message, JobCancelRequested):
            await self._cancel(message.job_id)

    async def _take(self, job: Job) -> None:
        if not await self._store.add(job):
            return
        if len(self._open) - len(self._running) >= MOST_WAITING:
            await self._end(
                job,
                JobState.FAILED,
                error=f"{MOST_WAITING} backtests are waiting; accepted: another one once some of them have ended",
            )
            return
        self._enqueue(job)
        await self._publish(job)

    async def _cancel(self, job_id: str) -> None:
        if job_id in self._running:
            self._running[job_id].cancel()
        elif job_id in self._open:
            await self._end(self._open[job_id], JobState.CANCELLED)

    def _enqueue(self, job: Job) -> None:
        self._open[job.id] = job
        self._queue.put_nowait(job.id)

    # ------------------------------------------------------------------------------------------------------- running

    async def _run_jobs(self) -> None:
        while True:
            job = self._open.get(await self._queue.get())
            if job is not None:  # else it was cancelled while it waited
                await self._run(job)

    async def _run(self, job: Job) -> None:
        async def progress(stage: str, done: float) -> None:
            self._open[job.id] = replace(self._open[job.id], stage=stage, progress=done)
            await self._publish(self._open[job.id])

        await self._change(replace(job, state=JobState.RUNNING, started=self.wall_clock.now()))
        if job.id not in self._open:  # cancelled a moment ago
            return
        # In a task of its own: it alone ends when the job is cancelled.
        work = self._running[job.id] = asyncio.create_task(self._runner.run(job.request, progress))
        try:
            result = await work
        except JobFailed as e:
            await self._end(self._open[job.id], JobState.FAILED, error=str(e))
        except asyncio.CancelledError:
            if _is_cancelled():  # the service stops, not this job alone
                raise
            await self._end(self._open[job.id], JobState.CANCELLED)
        else:
            await self._end(self._open[job.id], JobState.DONE, result, progress=1.0, summary=result.summary)
        finally:
            del self._running[job.id]

    async def _end(self, job: Job, state: JobState, result: JobResult | None = None, **changes: Any) -> None:  # noqa: ANN401  fields of a job
        self._open.pop(job.id, None)
        await self._change(replace(job, state=state, stage="", finished=self.wall_clock.now(), **changes), result)

    async def _change(self, job: Job, result: JobResult | None = None) -> None:
        if job.id in self._open:
            self._open[job.id] = job
        await self._store.update(job, result)
        await self._publish(job)

    async def _publish(self, job: Job) -> None:
        await self.bus.publish(JobChanged(time=self.wall_clock.now(), job=job))


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
