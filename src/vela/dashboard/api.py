"""REST under /api/v1, `/health` and `/metrics`."""

from __future__ import annotations

from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Query
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import Response

from vela.dashboard.answers import Json, refusal
from vela.dashboard.facts import CandleHistory, ReaderFactory, WallClock
from vela.dashboard.health import health
from vela.dashboard.metrics import PageCounts, registry
from vela.dashboard.projection import CANDLES, Projection
from vela.dashboard.shapes import (
    AccountSnapshot,
    CandleRow,
    DecisionView,
    ErrorView,
    FillView,
    HealthView,
    OrderView,
    SummaryView,
    SymbolSnapshot,
    SymbolSummary,
    TradeView,
)
from vela.dashboard.symbol_stream import SymbolStream
from vela.dashboard.viewers import Viewers, names
from vela.dashboard.views import candle_row, decision_view, fill_view, order_view, summary_view, trade_view

Limit = Annotated[int, Query(ge=1, le=1000, description="How many at most.")]
Before = Annotated[int | None, Query(ge=0, le=2**53, description="Only what is older, ms UTC.")]
SymbolText = Annotated[str | None, Query(max_length=200, description="A symbol such as BTC or ETH/BTC.")]


def record_routes(projection: Projection, reader: ReaderFactory) -> APIRouter:
    """Return what is read from the record. Plain functions: they run in worker threads, never in trading's loop."""
    router = APIRouter()
    timeframe = projection.facts.timeframe.milliseconds

    @router.get("/trades", response_model=list[TradeView])
    def trades(limit: Limit = 100, before: Before = None) -> Response:
        return Json([trade_view(trade) for trade in reader().trades(limit=limit, before=before)])

    @router.get("/orders", response_model=list[OrderView])
    def orders(limit: Limit = 100, before: Before = None) -> Response:
        return Json([order_view(order) for order in reader().orders(limit=limit, before=before)])

    @router.get("/fills", response_model=list[FillView])
    def fills(limit: Limit = 100, before: Before = None) -> Response:
        return Json([fill_view(fill) for fill in reader().fills(limit=limit, before=before)])

    @router.get("/decisions", response_model=list[DecisionView], responses={404: {"model": ErrorView}})
    def decisions(symbol: SymbolText = None, limit: Limit = 100, before: Before = None) -> Response:
        stream = None if symbol is None else projection.symbol(symbol)
        if symbol is not None and stream is None:
            return unknown(symbol, projection)
        wanted = None if stream is None else stream.trading_symbol
        found = reader().decisions(limit=limit, symbol=wanted, before=before)
        # Signals are among the decisions, in the same order: as many of them reach back at least as far.
        handled = reader().outcomes(limit=limit, symbol=wanted, before=before)
        outcomes = {(one.signal.symbol, one.signal.strategy, one.signal.candle_time): one for one in handled}
        keys = [(one.symbol, one.strategy, one.candle_time) for one in found]
        views = [decision_view(one, timeframe, outcomes.get(key)) for one, key in zip(found, keys, strict=True)]
        return Json(views)

    @router.get("/summary", response_model=SummaryView)
    def summary() -> Response:
        return Json(summary_view(reader().summary()))

    return router


def stream_routes(projection: Projection, viewers: Viewers, history: CandleHistory) -> APIRouter:
    """Return the snapshots and the candles."""
    router = APIRouter()

    @router.get("/snapshot", response_model=AccountSnapshot)
    async def snapshot() -> Response:
        return Json(viewers.snapshot(projection.account))

    @router.get("/symbols", response_model=list[SymbolSummary])
    async def symbols() -> Response:
        return Json(projection.summaries())

    # A symbol may hold a slash (ETH/BTC): the longer path comes first.
    @router.get("/symbols/{name:path}/candles", response_model=list[CandleRow], responses={404: {"model": ErrorView}})
    async def candles(name: str, limit: Limit = CANDLES, before: Before = None) -> Response:
        stream = projection.symbol(name)
        if stream is None:
            return unknown(name, projection)
        newest = stream.candle_rows()
        if before is None and limit <= len(newest):
            return Json(newest[-limit:])
        found = await to_thread.run_sync(history, stream.trading_symbol, before, limit)
        return Json([candle_row(candle) for candle in found.rows()])

    @router.get("/symbols/{name:path}", response_model=SymbolSnapshot, responses={404: {"model": ErrorView}})
    async def symbol(name: str) -> Response:
        stream: SymbolStream | None = projection.symbol(name)
        return unknown(name, projection) if stream is None else Json(viewers.snapshot(stream))

    return router


def operation_routes(projection: Projection, counts: PageCounts, now: WallClock) -> APIRouter:
    """Return `/health` and `/metrics`, which need no login."""
    router = APIRouter()
    own = registry(projection, counts)
    account = projection.account

    @router.get("/health", response_model=HealthView, responses={503: {"model": HealthView}})
    async def healthy() -> Response:
        account.now = now()
        state = health(account.services(), ended=account.ended)
        return Json(state, 503 if state["status"] == "down" else 200)

    @router.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        account.now = now()
        return Response(generate_latest(own), media_type=CONTENT_TYPE_LATEST)

    return router


def unknown(name: str, projection: Projection) -> Response:
    """Return the answer to a request for a symbol that is not in use."""
    return refusal(404, f"symbol {name[:60]!r} is not in use", names(projection))
