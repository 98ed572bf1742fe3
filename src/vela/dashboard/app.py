"""The page's application: everything behind the gate."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import socketio
import structlog
from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp

from vela.dashboard.answers import refusal
from vela.dashboard.api import operation_routes, record_routes, stream_routes
from vela.dashboard.auth import LoginLimit, LoginTokens
from vela.dashboard.backtests import backtest_routes, malformed
from vela.dashboard.facts import CandleHistory, ReaderFactory, WallClock, Workshop
from vela.dashboard.gate import Gate, Hosts
from vela.dashboard.metrics import PageCounts
from vela.dashboard.pages import login_routes, static_routes
from vela.dashboard.projection import Projection
from vela.dashboard.viewers import Viewers
from vela.domain.errors import VelaError

STATIC = Path(__file__).resolve().parent / "static"

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the page's answers come from.

    Attributes:
        projection: what is happening.
        viewers: who follows it.
        counts: the page's own figures.
        reader: opens the record.
        history: older candles.
        tokens: who may look.
        now: wall clock, ms UTC.
        workshop: where backtests are asked for.
    """

    projection: Projection
    viewers: Viewers
    counts: PageCounts
    reader: ReaderFactory
    history: CandleHistory
    tokens: LoginTokens
    now: WallClock
    workshop: Workshop


def build_app(sources: Sources, hosts: Hosts, static: Path = STATIC) -> ASGIApp:
    """Return the whole application: gate, Socket.IO, REST, login and the built page in `static`."""
    api = FastAPI(
        title="Vela",
        version=sources.projection.facts.version,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    api.add_exception_handler(RequestValidationError, _invalid)
    api.add_exception_handler(HTTPException, _refused)
    api.add_exception_handler(VelaError, _unavailable)
    for router in _versioned(sources):
        api.include_router(router, prefix="/api/v1")
    api.include_router(operation_routes(sources.projection, sources.counts, sources.now))
    api.include_router(login_routes(sources.tokens, LoginLimit(sources.now)))
    api.include_router(static_routes(static))
    return Gate(socketio.ASGIApp(sources.viewers.server, api), sources.tokens, hosts)


def _versioned(sources: Sources) -> Iterable[APIRouter]:
    yield record_routes(sources.projection, sources.reader)
    yield stream_routes(sources.projection, sources.viewers, sources.history)
    yield backtest_routes(sources.projection.account.jobs, sources.workshop, sources.now)


async def _invalid(_request: Request, problem: Exception) -> Response:
    # Only the name and the rule: what was sent is not echoed.
    problems = problem.errors() if isinstance(problem, RequestValidationError) else []
    if problems and problems[0]["loc"][0] == "body":
        return malformed(problems[0]["loc"], problems[0]["msg"])
    names = ", ".join(str(one["loc"][-1]) for one in problems)
    rules = "; ".join(f"{one['loc'][-1]}: {one['msg']}" for one in problems)
    return refusal(400, f"{names} cannot be used", rules)


async def _refused(request: Request, problem: Exception) -> Response:
    status = problem.status_code if isinstance(problem, HTTPException) else 500
    accepted = "another method" if status == 405 else "the paths in /api/v1/openapi.json"
    return refusal(status, f"{request.method} {request.url.path[:60]} is not possible", accepted)


async def _unavailable(request: Request, problem: Exception) -> Response:
    _log.warning("page.request_failed", path=request.url.path, error=str(problem))
    return refusal(503, "the record cannot be read at the moment", "the same request later")
