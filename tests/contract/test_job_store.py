"""What every store of jobs must do."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.contract.record_samples import BTC, ETH_BTC
from tests.jobs import REQUEST, RESULT, MemoryJobStore, job, moved

from vela.domain.jobs import BacktestRequest, Job, JobState
from vela.domain.timeframe import Timeframe
from vela.ports.jobs import FINISHED_KEPT, JobStore


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def store(request: pytest.FixtureRequest) -> Iterator[JobStore]:
    if request.param == "memory":
        yield MemoryJobStore()
        return
    with request.getfixturevalue(f"{request.param}_place").open() as record:
        yield record.jobs


async def ids(store: JobStore) -> list[str]:
    return [one.id for one in await store.jobs()]


async def test_jobs_come_back_as_they_were_asked_for_in_that_order(store):
    request = BacktestRequest("S", {"fast": "1e3"}, (BTC, ETH_BTC), Timeframe.H1, 5, 10, {"stake": "5%"})
    for name in ("b", "a", "c"):
        assert await store.add(Job(name, request, 7))
    assert list(await store.jobs()) == [Job(name, request, 7) for name in ("b", "a", "c")]


async def test_an_id_that_is_known_changes_nothing(store):
    assert await store.add(job())
    assert not await store.add(Job("j1", BacktestRequest("Other"), 9))
    assert [one.request for one in await store.jobs()] == [REQUEST]


async def test_states_move_on_and_a_result_comes_with_the_last_one(store):
    await store.add(job())
    running = moved(job(), JobState.RUNNING, started=2_000)
    await store.update(running)
    assert list(await store.jobs()) == [running]
    assert await store.result("j1") is None
    done = moved(running, JobState.DONE, finished=3_000, progress=1.0, summary=RESULT.summary)
    await store.update(done, RESULT)
    assert list(await store.jobs()) == [done]
    assert await store.result("j1") == RESULT


async def test_a_job_that_has_ended_stays_as_it_is(store):
    await store.add(job())
    await store.update(moved(job(), JobState.CANCELLED, finished=5))
    await store.update(moved(job(), JobState.DONE, finished=6), RESULT)
    [kept] = await store.jobs()
    assert (kept.state, kept.finished, await store.result("j1")) == (JobState.CANCELLED, 5, None)


async def test_an_unknown_job_is_not_made_by_a_change(store):
    await store.update(moved(job(), JobState.DONE), RESULT)
    assert await ids(store) == []
    assert await store.result("j1") is None


async def test_of_finished_jobs_the_newest_are_kept_and_of_others_all(store):
    await store.add(job("waits"))
    for number in range(FINISHED_KEPT + 3):
        await store.add(job(str(number)))
        await store.update(job(str(number), JobState.DONE, finished=number, summary=RESULT.summary), RESULT)
    assert await ids(store) == ["waits", *map(str, range(3, FINISHED_KEPT + 3))]
    assert await store.result("2") is None
    assert await store.result("3") == RESULT
