from __future__ import annotations

import pytest
from tests.jobs import job

from vela.domain.jobs import JobState


def test_what_is_done_failed_or_cancelled_stays_so():
    assert {state.value for state in JobState if state.is_final} == {"done", "failed", "cancelled"}


def test_a_job_begins_in_the_queue_and_cannot_be_changed():
    made = job()
    assert (made.state, made.progress, made.summary) == (JobState.QUEUED, 0.0, None)
    with pytest.raises(AttributeError):
        made.state = JobState.DONE  # type: ignore[misc]
