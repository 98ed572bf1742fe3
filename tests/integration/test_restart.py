"""A service that dies in the middle of a run is replaced, and nothing is different afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.faults.checker import breaches, trades

from vela.bootstrap.application import Application
from vela.bootstrap.logs import set_up_logs
from vela.bootstrap.settings import load_settings
from vela.domain.events import Envelope
from vela.services.brain import BrainService
from vela.services.historical import HistoricalService
from vela.services.market_data import MarketDataService
from vela.services.orders import OrdersService
from vela.services.persistence import PersistenceService

OPTIONS = {"speed": "max", "page": False, "symbols": "BTC,ETH,SOL", "candles": 600}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, object], list[dict[str, object]]]:
    set_up_logs()  # short tracebacks
    data_dir = tmp_path_factory.mktemp("undisturbed")
    return asyncio.run(run(data_dir)), trades(data_dir)


async def run(data_dir: Path) -> dict[str, object]:
    settings = load_settings({**OPTIONS, "data_dir": data_dir}, {}, data_dir / "none.toml")
    summary = await Application(settings, until_end=True).run(asyncio.Event(), lambda _ready: None)
    assert breaches(data_dir) == []
    return {name: getattr(summary, name) for name in ("candles", "decisions", "signals", "fills", "trades", "fees")}


def dying_at(call: int, method: Callable[..., object]) -> Callable[..., object]:
    calls = 0

    async def handle(self: object, envelope: Envelope) -> object:
        nonlocal calls
        calls += 1
        if calls == call:
            raise RuntimeError("killed by the test")
        return await method(self, envelope)  # type: ignore[misc]

    return handle


@pytest.mark.parametrize("call", [2, 700, 1100])
@pytest.mark.parametrize(
    ("service", "method"),
    [
        (BrainService, "_handle"),
        (OrdersService, "_handle"),
        (PersistenceService, "_handle"),
        (HistoricalService, "_handle"),
        (MarketDataService, "_close"),
        (OrdersService, "_on_candles"),
    ],
)
async def test_trades_are_those_of_an_undisturbed_run(
    service: type,
    method: str,
    call: int,
    undisturbed: tuple[dict[str, object], list[dict[str, object]]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if method != "_handle" or service in {BrainService, HistoricalService}:
        call = min(call, 500)
    monkeypatch.setattr(service, method, dying_at(call, getattr(service, method)))
    assert (await run(tmp_path), trades(tmp_path)) == undisturbed
