from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest
from tests.fakes import ManualClock, until
from tests.jobs import RESULT, ManualRunner, MemoryJobStore, job

from vela.adapters.bus.memory import MemoryBus
from vela.domain.events import BacktestRequested, Envelope, JobCancelRequested, JobChanged, Topic
from vela.domain.jobs import BacktestRequest, Job, JobState
from vela.ports.jobs import MOST_WAITING
from vela.services.simulator import SimulatorService
from vela.services.supervisor import Group, Supervisor


class Desk:
    """A simulator service and what it says; jobs are named by their strategy."""

    def __init__(self, store: MemoryJobStore | None = None, at_once: int = 1) -> None:
        self.bus = MemoryBus(ManualClock(5))
        self.store = store or MemoryJobStore()
        self.runner = ManualRunner()
        self.at_once = at_once
        self.said: list[Job] = []
        self.bus.subscribe("test", Topic.JOBS)
        self.tasks = [asyncio.create_task(self.bus.consume("test", self._keep))]

    async def start(self) -> Desk:
        service = self.service()
        await service.start()
        self.tasks.append(asyncio.create_task(service.work()))
        return self

    def service(self) -> SimulatorService:
        return SimulatorService(self.bus, ManualClock(2_000), self.store, self.runner, self.at_once)

    async def ask(self, *names: str) -> None:
        for name in names:
            await self.bus.publish(BacktestRequested(time=1_000, job_id=name, request=BacktestRequest(name)))
        await self.bus.settled()

    async def cancel(self, name: str) -> None:
        await self.bus.publish(JobCancelRequested(time=1_000, job_id=name))
        await self.bus.settled()

    async def begun(self, *names: str) -> None:
        await until(lambda: self.runner.begun == list(names))

    async def reach(self, name: str, state: JobState) -> Job:
        await until(lambda: self.state(name) is state)
        return next(one for one in reversed(self.said) if one.id == name)

    def state(self, name: str) -> JobState | None:
        return next((one.state for one in reversed(self.said) if one.id == name), None)

    def states(self, name: str) -> list[JobState]:
        return [one.state for one in self.said if one.id == name]

    async def end(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    async def _keep(self, envelope: Envelope) -> None:
        if isinstance(envelope.message, JobChanged):
            self.said.append(envelope.message.job)


@pytest.fixture
async def desks() -> AsyncIterator[list[Desk]]:
    made: list[Desk] = []
    yield made
    for desk in made:
        await desk.end()


async def desk(desks: list[Desk], store: MemoryJobStore | None = None, at_once: int = 1) -> Desk:
    desks.append(Desk(store, at_once))
    return await desks[-1].start()


async def test_a_job_is_stored_before_anybody_hears_of_it_and_told_of_to_its_end(desks) -> None:
    one = await desk(desks)
    await one.ask("a")
    assert one.said[0] == Job("a", BacktestRequest("a"), 1_000)
    assert "a" in one.store.kept
    await one.begun("a")
    await one.runner.told["a"]("trading", 0.4)
    one.runner.finish("a")
    done = await one.reach("a", JobState.DONE)
    assert one.states("a") == [JobState.QUEUED, JobState.RUNNING, JobState.RUNNING, JobState.DONE]
    assert [(said.stage, said.progress) for said in one.said[1:]] == [("", 0.0), ("trading", 0.4), ("", 1.0)]
    assert (done.created, done.started, done.finished) == (1_000, 2_000, 2_000)
    assert (done.summary, one.store.results["a"]) == (RESULT.summary, RESULT)


async def test_first_come_first_served_and_no_more_than_allowed_at_once(desks) -> None:
    one = await desk(desks, at_once=2)
    await one.ask("a", "b", "c", "d")
    await one.begun("a", "b")
    one.runner.finish("b")
    await one.begun("a", "b", "c")
    one.runner.finish("a")
    await one.begun("a", "b", "c", "d")


async def test_what_cannot_be_run_fails_with_the_sentence_and_the_next_one_runs(desks) -> None:
    one = await desk(desks)
    await one.ask("a", "b")
    await one.begun("a")
    one.runner.fail("a")
    assert (await one.reach("a", JobState.FAILED)).error == "no candles; accepted: some"
    await one.begun("a", "b")


async def test_a_running_job_that_is_cancelled_has_ended_when_that_is_said(desks) -> None:
    one = await desk(desks)
    await one.ask("a", "b")
    await one.begun("a")
    await one.cancel("a")
    await one.reach("a", JobState.CANCELLED)
    assert "a" not in one.runner.running
    await one.begun("a", "b")
    assert one.store.kept["a"].state is JobState.CANCELLED


async def test_a_waiting_job_that_is_cancelled_is_never_begun(desks) -> None:
    one = await desk(desks)
    await one.ask("a", "b", "c")
    await one.begun("a")
    await one.cancel("b")
    await one.reach("b", JobState.CANCELLED)
    one.runner.finish("a")
    await one.begun("a", "c")


async def test_a_job_that_is_cancelled_at_the_moment_it_begins_is_never_run(desks, monkeypatch) -> None:
    one = await desk(desks)
    update, reached, go_on = one.store.update, asyncio.Event(), asyncio.Event()

    async def slow(changed: Job, *result) -> None:
        if changed.state is JobState.RUNNING:
            reached.set()
            await go_on.wait()
        await update(changed, *result)

    monkeypatch.setattr(one.store, "update", slow)
    await one.ask("a")
    await reached.wait()
    await one.cancel("a")
    go_on.set()
    await one.ask("b")
    await one.begun("b")
    assert one.store.kept["a"].state is JobState.CANCELLED


async def test_cancelling_what_has_ended_or_never_was_does_nothing(desks) -> None:
    one = await desk(desks)
    await one.ask("a")
    await one.begun("a")
    one.runner.finish("a")
    await one.reach("a", JobState.DONE)
    said = len(one.said)
    await one.cancel("a")
    await one.cancel("nothing")
    assert len(one.said) == said


async def test_the_same_request_twice_is_one_job(desks) -> None:
    one = await desk(desks)
    await one.ask("a", "a")
    await one.begun("a")
    one.runner.finish("a")
    await one.reach("a", JobState.DONE)
    await one.ask("a", "b")
    await one.begun("a", "b")


async def test_too_many_that_wait_are_refused(desks) -> None:
    one = await desk(desks)
    await one.ask("first")
    await one.begun("first")
    await one.ask(*map(str, range(MOST_WAITING + 1)))
    refused = await one.reach(str(MOST_WAITING), JobState.FAILED)
    assert refused.error == "100 backtests are waiting; accepted: another one once some of them have ended"
    assert one.state(str(MOST_WAITING - 1)) is JobState.QUEUED


async def test_after_a_restart_jobs_go_on_in_their_order_and_none_that_ended_runs_again(desks) -> None:
    names = {"a": JobState.DONE, "b": JobState.RUNNING, "c": JobState.QUEUED, "d": JobState.CANCELLED}
    jobs = [msgspec.structs.replace(job(name, state), request=BacktestRequest(name)) for name, state in names.items()]
    one = await desk(desks, MemoryJobStore(*jobs))
    await one.begun("b")
    assert one.states("b")[0] is JobState.QUEUED
    one.runner.finish("b")
    await one.begun("b", "c")
    assert one.states("a") == one.states("d") == []


async def test_a_stop_ends_the_work_and_leaves_the_job_to_be_run_again(desks) -> None:
    one = await desk(desks)
    await one.ask("a")
    await one.begun("a")
    await one.end()
    assert one.runner.running == {}
    assert one.store.kept["a"].state is JobState.RUNNING
    other = await desk(desks, one.store)
    await other.begun("a")
    other.runner.finish("a")
    await other.reach("a", JobState.DONE)


async def test_a_service_that_breaks_is_replaced_and_its_jobs_are_done(desks, monkeypatch) -> None:
    one = Desk(at_once=2)
    desks.append(one)
    supervisor = Supervisor(one.bus, ManualClock())

    async def build() -> list[SimulatorService]:
        return [one.service()]

    await supervisor.start(Group("simulator", build, is_essential=False, keeps_messages=True))
    await one.ask("a", "b", "c")
    await one.begun("a", "b")
    one.runner.fail("a", RuntimeError("a bug"))
    await one.begun("a", "b", "a", "b")
    assert sorted(one.runner.running) == ["a", "b"]
    for name in ("a", "b"):
        one.runner.finish(name)
    await one.begun("a", "b", "a", "b", "c")
    one.runner.finish("c")
    for name in ("a", "b", "c"):
        await one.reach(name, JobState.DONE)
    await supervisor.stop(cleanly=False)
