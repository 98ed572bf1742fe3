from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from tests.fakes import ManualClock
from tests.unit.dashboard.samples import (
    START,
    Record,
    decision,
    facts,
    filled,
    history,
    order,
    outcome,
    trade,
    wallet,
    workshop,
)

from vela.dashboard.app import Sources, build_app
from vela.dashboard.auth import LoginTokens
from vela.dashboard.gate import Hosts
from vela.dashboard.loading import load
from vela.dashboard.metrics import PageCounts
from vela.dashboard.projection import Projection
from vela.dashboard.viewers import Viewers

RECORD = Record(
    trades=[trade(5), trade(0)],
    orders=[order(2), order(1)],
    fills=[filled(1).message.fill],
    decisions=[decision(minute) for minute in range(999, 400, -1)],
    outcomes=[outcome(999), outcome(997, refusal=None)],
    wallet=wallet(9),
)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def tokens(tmp_path: Path, clock: ManualClock) -> LoginTokens:
    return LoginTokens(tmp_path / "data", clock.now)


@pytest.fixture
def static(tmp_path: Path) -> Path:
    directory = tmp_path / "static"
    (directory / "assets").mkdir(parents=True)
    (directory / "index.html").write_text("<!doctype html>the page")
    (directory / "favicon.svg").write_text("<svg/>")
    (directory / ".built-from").write_text("hidden")
    (directory / "assets" / "index-abc123.js").write_text("let a = 1")
    (tmp_path / "secret.txt").write_text("canary")
    return directory


@pytest.fixture
def projection() -> Projection:
    made = Projection(facts())
    load(made, RECORD, history)
    return made


@pytest.fixture
def sources(projection: Projection, tokens: LoginTokens, clock: ManualClock) -> Sources:
    counts = PageCounts()
    viewers = Viewers(projection, counts)
    return Sources(projection, viewers, counts, lambda: RECORD, history, tokens, clock.now, workshop())


@pytest.fixture
async def visitor(sources: Sources, static: Path) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody who is not logged in."""
    transport = httpx.ASGITransport(build_app(sources, Hosts("127.0.0.1"), static))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:5000") as client:
        yield client


@pytest.fixture
async def user(visitor: httpx.AsyncClient, tokens: LoginTokens) -> httpx.AsyncClient:
    """Somebody who is."""
    await visitor.get(tokens.new_link("127.0.0.1", 5000))
    return visitor
