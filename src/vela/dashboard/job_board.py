"""Backtests as the page lists them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from vela.dashboard.stream import Event
from vela.dashboard.views import job_view
from vela.domain.jobs import Job, JobState
from vela.ports.jobs import FINISHED_KEPT

LISTED = 100
"""Jobs in a snapshot, the newest ones."""

Watcher = Callable[[Job], None]


class JobBoard:
    """All that wait or run, and the newest that have ended."""

    def __init__(self) -> None:
        """Start empty."""
        self._jobs: dict[str, Job] = {}
        self._changed: dict[str, None] = {}
        self._watchers: list[Watcher] = []

    def take(self, job: Job) -> None:
        """Take a job's new state; once it has ended, it stays as it is."""
        known = self._jobs.get(job.id)
        if known is not None and known.state.is_final:
            return
        self.recall(job)
        self._changed[job.id] = None
        for watch in tuple(self._watchers):
            watch(job)

    def recall(self, job: Job) -> None:
        """Take a job from the store."""
        self._jobs[job.id] = job
        if job.state.is_final:
            finished = [known.id for known in self._jobs.values() if known.state.is_final]
            for old in finished[:-FINISHED_KEPT]:
                del self._jobs[old]

    def get(self, job_id: str) -> Job | None:
        """Return a job, if it is known."""
        return self._jobs.get(job_id)

    def newest(self) -> Sequence[Job]:
        """Return all jobs, the newest first."""
        return tuple(reversed(self._jobs.values()))

    def waiting(self) -> int:
        """Return how many wait."""
        return sum(job.state is JobState.QUEUED for job in self._jobs.values())

    @contextmanager
    def watched(self, watch: Watcher) -> Iterator[None]:
        """Tell `watch` of every change meanwhile."""
        self._watchers.append(watch)
        try:
            yield
        finally:
            self._watchers.remove(watch)

    @property
    def is_changed(self) -> bool:
        """Whether anything changed since `forget`."""
        return bool(self._changed)

    def changes(self) -> list[Event]:
        """Return the newest state of every job that changed since `forget`."""
        return [("job_update", dict(job_view(self._jobs[name]))) for name in self._changed if name in self._jobs]

    def forget(self) -> None:
        """Forget what changed."""
        self._changed.clear()
