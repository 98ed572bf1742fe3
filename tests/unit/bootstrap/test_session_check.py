from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from vela.adapters.storage.sql.record import RECORD_FILE, open_record
from vela.bootstrap.application import Application
from vela.bootstrap.session_check import check_session
from vela.bootstrap.settings import load_settings
from vela.domain.errors import ConfigurationError, StorageLocked

RULES = {"take_profit": "0.8", "take_profit_part": "50", "trailing": "0.6", "impact": "0.01", "stake": "10%"}


async def session(folder: Path, candles: int, **options: object) -> None:
    """Trade a synthetic market on paper, up to its candle number `candles`."""
    given = {"symbols": "BTC,ETH", "speed": "max", "page": False, "data_dir": folder, "candles": candles, **options}
    settings = load_settings(given, {}, folder / "none.toml")
    await Application(settings, until_end=True).run(asyncio.Event(), lambda _ready: None)


def change(folder: Path, statement: str, *values: object) -> None:
    with sqlite3.connect(folder / RECORD_FILE) as connection:
        assert connection.execute(statement, values).rowcount == 1


async def test_a_session_on_paper_is_its_backtest(tmp_path: Path) -> None:
    await session(tmp_path, 700, **RULES)
    compared = check_session(tmp_path)
    assert len(compared.trades) > 10
    assert compared.trades == compared.expected
    assert compared.document()["identical"] is True


async def test_it_is_compared_since_its_rules_last_changed(tmp_path: Path) -> None:
    await session(tmp_path, 400, **RULES)
    with open_record(tmp_path) as record:
        before = record.reader.summary().trades
    await session(tmp_path, 900, stop_loss="0.5")
    compared = check_session(tmp_path)
    assert compared.summary.trades - before >= len(compared.trades) > 5
    # A position from before reaches into what followed.
    assert {(drift.kind.value, drift.session) for drift in compared.drift} == {("missed", "refused: position_open")}


@pytest.mark.parametrize(
    ("statement", "kinds"),
    [
        ("UPDATE trades SET fees = fees + 1 WHERE id = 3", {"fee"}),
        ("UPDATE trades SET exit_price = '1' WHERE id = 3", {"price"}),
        ("UPDATE trades SET exit_time = exit_time - 60000 WHERE id = 3", {"timing"}),
        ("DELETE FROM trades WHERE id = 3", {"missed"}),
        ("UPDATE trades SET entry_time = entry_time + 6000000, exit_time = exit_time + 6000000 WHERE id = 3", None),
    ],
)
async def test_what_differs_is_named(tmp_path: Path, statement: str, kinds: set[str] | None) -> None:
    await session(tmp_path, 700, **RULES)
    change(tmp_path, statement)
    compared = check_session(tmp_path)
    assert {drift.kind.value for drift in compared.drift} == (kinds or {"missed", "extra"})
    assert all(drift.session for drift in compared.drift)


async def test_of_a_missed_trade_the_record_tells_why(tmp_path: Path) -> None:
    await session(tmp_path, 700, **RULES)
    change(tmp_path, "DELETE FROM trades WHERE id = 3")
    (missed,) = check_session(tmp_path).drift
    assert missed.session.startswith("order ")
    candle = missed.entry_time - 60_000
    change(tmp_path, "DELETE FROM signals WHERE candle_time = ? AND symbol = ?", candle, missed.symbol.to_ccxt())
    assert check_session(tmp_path).drift[0].session == "decided buy: signal"
    change(tmp_path, "DELETE FROM decisions WHERE candle_time = ? AND symbol = ?", candle, missed.symbol.to_ccxt())
    assert check_session(tmp_path).drift[0].session == "did not see the candle"


def test_a_folder_without_a_session_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"holds no record; accepted: the --data-dir of a vela up"):
        check_session(tmp_path)
    open_record(tmp_path).close()
    with pytest.raises(ConfigurationError, match="does not say by what it was traded"):
        check_session(tmp_path)


def test_a_session_that_runs_is_left_alone(tmp_path: Path) -> None:
    with open_record(tmp_path), pytest.raises(StorageLocked):
        check_session(tmp_path)
