"""Jobs and their results in SQL."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from msgspec.structs import asdict
from sqlalchemy import Connection, delete, insert, select, update

from vela.adapters.storage.sql.database import insert_into, transaction
from vela.adapters.storage.sql.schema import job_results, jobs
from vela.domain.jobs import Job, JobState
from vela.ports.jobs import FINISHED_KEPT, JobResult

T = TypeVar("T")

_FINAL = [state for state in JobState if state.is_final]
_KEPT_IN_MEMORY_ONLY = ("stage", "progress")
_COLUMNS = [column for column in jobs.columns if column is not jobs.c.number]


class SqlJobStore:
    """`JobStore` over a connection made for `Purpose.JOURNAL`.

    A thread of its own does the work, one call after the other: a result may be megabytes, and trading shares the event
    loop.
    """

    def __init__(self, connection: Connection) -> None:
        """Keep jobs over `connection`, which stays the caller's to close, after `close`."""
        self._connection = connection
        self._thread = ThreadPoolExecutor(1, "jobs")

    async def add(self, job: Job) -> bool:
        """See `JobStore.add`."""
        return await self._do(lambda: self._add(job))

    async def update(self, job: Job, result: JobResult | None = None) -> None:
        """See `JobStore.update`."""
        await self._do(lambda: self._update(job, result))

    async def jobs(self) -> Sequence[Job]:
        """See `JobStore.jobs`."""
        return await self._do(self._jobs)

    async def result(self, job_id: str) -> JobResult | None:
        """See `JobStore.result`."""
        return await self._do(lambda: self._result(job_id))

    def close(self) -> None:
        """Finish what has begun."""
        self._thread.shutdown()

    async def _do(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._in_transaction, work)

    def _in_transaction(self, work: Callable[[], T]) -> T:
        with transaction(self._connection):
            return work()

    def _add(self, job: Job) -> bool:
        statement = insert_into(self._connection, jobs).values(_row(job))
        new = statement.on_conflict_do_nothing(index_elements=[jobs.c.id]).returning(jobs.c.number)
        return self._connection.execute(new).first() is not None

    def _update(self, job: Job, result: JobResult | None) -> None:
        is_open = (jobs.c.id == job.id, jobs.c.state.not_in(_FINAL))
        number = self._connection.execute(select(jobs.c.number).where(*is_open)).scalar_one_or_none()
        if number is None:
            return
        self._connection.execute(update(jobs).where(jobs.c.number == number).values(_row(job)))
        if result is not None:
            values = {"number": number, "document": result.document, "report": result.report}
            self._connection.execute(insert(job_results).values(values))
        if job.state.is_final:
            self._forget_old()

    def _forget_old(self) -> None:
        finished = select(jobs.c.number).where(jobs.c.state.in_(_FINAL))
        newest = finished.order_by(jobs.c.number.desc()).offset(FINISHED_KEPT)
        old = self._connection.execute(newest).scalars().all()
        if old:
            self._connection.execute(delete(job_results).where(job_results.c.number.in_(old)))
            self._connection.execute(delete(jobs).where(jobs.c.number.in_(old)))

    def _jobs(self) -> list[Job]:
        rows = self._connection.execute(select(*_COLUMNS).order_by(jobs.c.number))
        return [Job(**row._asdict(), progress=float(row.state is JobState.DONE)) for row in rows]

    def _result(self, job_id: str) -> JobResult | None:
        query = select(jobs.c.summary, job_results.c.document, job_results.c.report)
        row = self._connection.execute(query.join(job_results).where(jobs.c.id == job_id)).one_or_none()
        return None if row is None else JobResult(*row)


def _row(job: Job) -> dict[str, object]:
    row = asdict(job)
    for name in _KEPT_IN_MEMORY_ONLY:
        del row[name]
    return row
