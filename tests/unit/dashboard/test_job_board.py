from __future__ import annotations

from tests.jobs import RESULT, job, moved

from vela.dashboard.job_board import JobBoard
from vela.domain.jobs import Job, JobState
from vela.ports.jobs import FINISHED_KEPT


def test_of_many_changes_the_newest_state_is_told_once():
    board = JobBoard()
    board.take(job())
    board.take(moved(job(), JobState.RUNNING, stage="trading", progress=0.5))
    [(event, body)] = board.changes()
    assert (event, body["state"], body["progress"]) == ("job_update", "running", 0.5)
    board.forget()
    assert not board.is_changed
    assert board.changes() == []


def test_what_has_ended_stays_and_is_told_no_more():
    board = JobBoard()
    board.take(moved(job(), JobState.DONE, summary=RESULT.summary))
    board.forget()
    board.take(moved(job(), JobState.RUNNING))
    assert not board.is_changed
    known = board.get("j1")
    assert known is not None
    assert known.state is JobState.DONE


def test_the_newest_come_first_and_old_ones_are_forgotten_but_none_that_waits():
    board = JobBoard()
    board.recall(job("waits"))
    for number in range(FINISHED_KEPT + 2):
        board.recall(job(str(number), JobState.CANCELLED))
    names = [one.id for one in board.newest()]
    assert names == [*map(str, range(FINISHED_KEPT + 1, 1, -1)), "waits"]
    assert board.waiting() == 1
    assert board.get("1") is None


def test_watchers_are_told_while_they_watch():
    board = JobBoard()
    seen: list[Job] = []
    with board.watched(seen.append):
        board.take(job("a"))
    board.take(job("b"))
    assert [one.id for one in seen] == ["a"]
