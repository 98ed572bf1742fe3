"""Backtests over REST: asking for them, following them, ending them, and reading what they brought."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Callable, Mapping, Sequence

from anyio import to_thread
from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictFloat, StrictInt, StrictStr
from starlette.responses import HTMLResponse, Response

from vela.dashboard.answers import Json, refusal
from vela.dashboard.facts import WallClock, Workshop
from vela.dashboard.job_board import JobBoard
from vela.dashboard.shapes import ErrorView, JobView, SeriesView, StrategiesView
from vela.dashboard.views import job_view, series_view
from vela.domain.errors import VelaError
from vela.domain.events import BacktestRequested, JobCancelRequested, Message
from vela.domain.jobs import BacktestRequest, Job, JobState
from vela.ports.jobs import MOST_WAITING, JobResult

ANSWER_SECONDS = 5.0

# The report's own script runs in an origin of its own, without cookies, and reaches nothing.
_REPORT_POLICY = (
    "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
_REPORT_HEADERS = {"Content-Security-Policy": _REPORT_POLICY, "Cross-Origin-Opener-Policy": "unsafe-none"}

Value = StrictBool | StrictInt | StrictFloat | StrictStr
Values = dict[str, Value]


class BacktestForm(BaseModel):
    """A backtest to run on stored candles. What is left out comes from the settings, as for `vela backtest`.

    Attributes:
        strategy: its name.
        parameters: the strategy's; those left out take their defaults.
        symbols: such as BTC or ETH/BTC.
        timeframe: such as 1m.
        start: `from`: a date or time such as 2024-01-31, or ms UTC; candles that open earlier are left out.
        end: `to`: candles that open at or after it are left out.
        rules: trading rules under the names of their settings: `{"stake": "5%", "stop_loss": 2}`.
    """

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"strategy": "SmaCrossover"}})

    strategy: str = Field(min_length=1, max_length=200)
    parameters: Values = Field(default_factory=dict, max_length=100)
    symbols: list[str] = Field(default_factory=list, max_length=1000)
    timeframe: str | None = None
    start: Value | None = Field(default=None, alias="from")
    end: Value | None = Field(default=None, alias="to")
    rules: Values = Field(default_factory=dict, max_length=100)

    def options(self) -> dict[str, str | None]:
        """Return what is not a rule, as options are written."""
        times = {"from": self.start, "to": self.end}
        written = {name: None if value is None else _written(value) for name, value in times.items()}
        return {"symbols": ",".join(self.symbols) or None, "timeframe": self.timeframe, **written}


_NAMES = ", ".join(field.alias or name for name, field in BacktestForm.model_fields.items())


class JobDesk:
    """Asks the simulator, and waits until it has taken note: what is answered then survives a crash."""

    def __init__(self, board: JobBoard, workshop: Workshop, now: WallClock) -> None:
        """`now`: wall clock, ms UTC."""
        self._board = board
        self._workshop = workshop
        self._now = now
        self._newest_id = 0

    async def start(self, request: BacktestRequest) -> Job | None:
        """Return the new job, or None where the simulator does not answer."""
        job_id = self._new_id()
        asked = BacktestRequested(time=self._now(), job_id=job_id, request=request)
        return await self._ask(asked, job_id, lambda _: True)

    async def cancel(self, job_id: str) -> Job | None:
        """Return the job once it has ended, or None where the simulator does not answer."""
        asked = JobCancelRequested(time=self._now(), job_id=job_id)
        return await self._ask(asked, job_id, lambda job: job.state.is_final)

    def _new_id(self) -> str:
        # Two of the same millisecond, or a clock that was put back, must not share one.
        self._newest_id = max(self._newest_id + 1, self._now())
        while self._board.get(str(self._newest_id)) is not None:
            self._newest_id += 1
        return str(self._newest_id)

    async def _ask(self, message: Message, job_id: str, is_reached: Callable[[Job], bool]) -> Job | None:
        reached: asyncio.Future[Job] = asyncio.get_running_loop().create_future()

        def watch(job: Job) -> None:
            if job.id == job_id and is_reached(job) and not reached.done():
                reached.set_result(job)

        with self._board.watched(watch):
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    await self._workshop.publish(message)
                    return await reached
            except TimeoutError:
                return None


def backtest_routes(board: JobBoard, workshop: Workshop, now: WallClock) -> APIRouter:
    """Return all routes of backtests, and those that a form needs."""
    router = APIRouter()
    router.include_router(_changing_routes(board, JobDesk(board, workshop, now), workshop))
    router.include_router(_reading_routes(board, workshop))
    router.include_router(_form_routes(workshop))
    return router


def _changing_routes(board: JobBoard, desk: JobDesk, workshop: Workshop) -> APIRouter:
    router = APIRouter()

    @router.post("/backtests", status_code=202, response_model=JobView, responses=_errors(422, 429, 503))
    async def start(form: BacktestForm) -> Response:
        try:
            asked = (form.strategy, _texts(form.parameters), form.options(), _texts(form.rules))
            request = await to_thread.run_sync(workshop.read, *asked)
        except VelaError as e:
            return _sentence(422, str(e))
        if board.waiting() >= MOST_WAITING:
            return refusal(429, f"{MOST_WAITING} backtests are waiting", "another one once some of them have ended")
        job = await desk.start(request)
        if job is None:
            return _no_answer()
        answer = Json(job_view(job), 202)
        answer.headers["Location"] = f"/api/v1/backtests/{job.id}"
        return answer

    @router.delete("/backtests/{job_id}", response_model=JobView, responses=_errors(404, 409, 503))
    async def cancel(job_id: str) -> Response:
        job = board.get(job_id)
        if job is None:
            return _unknown(job_id)
        if job.state.is_final:
            return refusal(409, f"the backtest is {job.state}", "one that waits or runs")
        ended = await desk.cancel(job_id)
        return _no_answer() if ended is None else Json(job_view(ended))

    return router


def _reading_routes(board: JobBoard, workshop: Workshop) -> APIRouter:
    router = APIRouter()

    @router.get("/backtests", response_model=list[JobView])
    async def jobs() -> Response:
        return Json([job_view(job) for job in board.newest()])

    @router.get("/backtests/{job_id}", response_model=JobView, responses=_errors(404))
    async def job(job_id: str) -> Response:
        known = board.get(job_id)
        return _unknown(job_id) if known is None else Json(job_view(known))

    async def found(job_id: str) -> JobResult | Response:
        known = board.get(job_id)
        if known is not None and known.state is not JobState.DONE:
            return refusal(409, f"the backtest is {known.state}", "one that is done")
        return await workshop.store.result(job_id) or _unknown(job_id)

    # Megabytes are unpacked in a worker thread, never in trading's loop.
    @router.get("/backtests/{job_id}/result", responses=_errors(404, 409))
    async def result(job_id: str) -> Response:
        brought = await found(job_id)
        if isinstance(brought, Response):
            return brought
        return Json(await to_thread.run_sync(gzip.decompress, brought.document))

    @router.get("/backtests/{job_id}/report", response_class=HTMLResponse, responses=_errors(404, 409))
    async def report(job_id: str) -> Response:
        brought = await found(job_id)
        if isinstance(brought, Response):
            return brought
        return HTMLResponse(await to_thread.run_sync(gzip.decompress, brought.report), headers=_REPORT_HEADERS)

    return router


def _form_routes(workshop: Workshop) -> APIRouter:
    router = APIRouter()
    one_at_a_time = asyncio.Lock()

    @router.get("/strategies", response_model=StrategiesView)
    async def strategies() -> Response:
        async with one_at_a_time:
            found, problem = await workshop.strategies()
        return Json({"strategies": found, "problem": problem})

    @router.get("/series", response_model=list[SeriesView])
    def series() -> Response:
        return Json([series_view(one) for one in workshop.series()])

    return router


def malformed(place: Sequence[str | int], rule: str) -> Response:
    """Return the answer to a body that is no form; `place`: what cannot be used, `rule`: what it breaks."""
    name = ".".join(str(part) for part in place[1:3])
    if not name or isinstance(place[1], int):
        return refusal(422, "the body is no form", f"a JSON object with {_NAMES}")
    if name not in _NAMES.split(", ") and len(place) == 2:
        return refusal(422, f"{name[:60]!r} is unknown", _NAMES)
    return refusal(422, f"{name[:60]} cannot be used", rule.removeprefix("Input should be "))


def _sentence(status: int, text: str) -> Response:
    what, _, accepted = text.partition("; accepted")
    return refusal(status, what, accepted.strip(":, "))


def _unknown(job_id: str) -> Response:
    return refusal(404, f"there is no backtest {job_id[:60]!r}", "an id from /api/v1/backtests")


def _no_answer() -> Response:
    return refusal(503, "the simulator does not answer", "the same request later")


def _errors(*statuses: int) -> dict[int | str, dict[str, object]]:
    return {status: {"model": ErrorView} for status in statuses}


def _texts(values: Mapping[str, bool | float | str]) -> dict[str, str]:
    return {name: _written(value) for name, value in values.items()}


def _written(value: bool | float | str) -> str:  # noqa: FBT001  a value among others
    return str(value).lower() if isinstance(value, bool) else str(value)
