from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from tests.fakes import write_recording
from tests.faults.checker import breaches, trades
from tests.integration.reference import Rules, bought_at, exact_rows, forced_exit, sold_at

RUN = ("up", "--no-page", "--until-end", "--json")
SYNTHETIC = ("--symbols", "BTC,ETH,SOL", "--seed", "7", "--candles")
KEYS = [
    "candles",
    "decisions",
    "signals",
    "orders",
    "fills",
    "trades",
    "open_positions",
    "refused",
    "refused_candles",
    "missing_candles",
    "initial_capital",
    "final_equity",
    "realised_pnl",
    "fees",
]


def command(data_dir: Path, *options: str, speed: str = "max") -> list[str]:
    return [sys.executable, "-m", "vela", *RUN, "--speed", speed, "--data-dir", str(data_dir), *options]


def environment() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if not key.startswith("VELA_")}


def vela(data_dir: Path, *options: str, speed: str = "max") -> str:
    """Run to the market's end, check the account from the outside and return what was printed."""
    done = subprocess.run(
        command(data_dir, *options, speed=speed),
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
        cwd=data_dir.parent,
        env=environment(),
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "Traceback" not in done.stderr
    assert breaches(data_dir) == []
    return done.stdout


def dump(data_dir: Path) -> list[str]:
    """Everything on record, but for which process wrote it."""
    with closing(sqlite3.connect(data_dir / "vela.sqlite")) as connection:
        return [line for line in connection.iterdump() if not line.startswith('INSERT INTO "leases"')]


def rows_of(data_dir: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(data_dir / "vela.sqlite")) as connection:
        return connection.execute(query).fetchall()


# ------------------------------------------------------------------------------------------------------------- figures


def test_the_summary_has_the_promised_keys_and_its_figures_agree_with_the_record(tmp_path: Path) -> None:
    summary = json.loads(vela(tmp_path / "data", *SYNTHETIC, "500"))
    assert list(summary) == KEYS
    counted = {table: rows_of(tmp_path / "data", f"SELECT count(*) FROM {table}")[0][0] for table in _TABLES.values()}  # noqa: S608  fixed names
    assert {key: summary[key] for key in _TABLES} == {key: counted[table] for key, table in _TABLES.items()}
    assert summary["candles"] == summary["decisions"] == 3 * 500
    handled = rows_of(tmp_path / "data", "SELECT refusal, count(*) FROM signals WHERE refusal IS NOT NULL GROUP BY 1")
    assert summary["refused"] == dict(handled)
    assert summary["trades"] > 5
    assert (summary["refused_candles"], summary["missing_candles"]) == ({}, 0)
    for key in ("initial_capital", "final_equity", "realised_pnl", "fees"):
        assert isinstance(summary[key], str)


_TABLES = {
    "decisions": "decisions",
    "signals": "signals",
    "orders": "orders",
    "fills": "fills",
    "trades": "trades",
    "open_positions": "positions",
}


def test_cash_and_cost_are_what_was_paid_in_and_realised_less_fees_at_every_close(tmp_path: Path) -> None:
    summary = json.loads(vela(tmp_path / "data", *SYNTHETIC, "400", "--stake", "all", "--max-positions", "1"))
    wallets = rows_of(tmp_path / "data", "SELECT cash, cost, initial_capital, realised_pnl, fees FROM wallets")
    assert len(wallets) > 100
    for row in wallets:
        cash, cost, capital, realised, fees = map(Decimal, row)
        assert cash + cost == capital + realised - fees
    closed = trades(tmp_path / "data")
    assert sum(Decimal(trade["pnl"]) for trade in closed) <= Decimal(summary["realised_pnl"])
    if summary["open_positions"] == 0:
        assert Decimal(summary["final_equity"]) == 1000 + Decimal(summary["realised_pnl"]) - Decimal(summary["fees"])


# -------------------------------------------------------------------------------------------------------- repeatability


def test_the_same_run_twice_is_the_same_to_the_last_byte(tmp_path: Path) -> None:
    first, second = (vela(tmp_path / name, *SYNTHETIC, "400") for name in ("a", "b"))
    assert first == second
    assert dump(tmp_path / "a") == dump(tmp_path / "b")


def test_the_same_recording_from_another_place_is_the_same_run(tmp_path: Path) -> None:
    outs = []
    for name in ("a", "b"):
        path = write_recording(tmp_path / name / "BTCUSDT_1m.parquet", 800)
        outs.append(vela(tmp_path / name / "data", "--market", str(path)))
    assert outs[0] == outs[1]
    assert dump(tmp_path / "a" / "data") == dump(tmp_path / "b" / "data")


def test_speed_changes_nothing(tmp_path: Path) -> None:
    options = (*SYNTHETIC, "300", "--stop-loss", "0.5", "--take-profit", "0.7", "--cooldown", "0")
    at_once = vela(tmp_path / "max", *options)
    paced = vela(tmp_path / "paced", *options, speed="20000")
    assert paced == at_once
    assert trades(tmp_path / "paced") == trades(tmp_path / "max")
    assert {trade["exit_reason"] for trade in trades(tmp_path / "max")} >= {"stop_loss", "take_profit"}


def test_a_run_that_is_told_to_leave_goes_on_as_if_nothing_had_been(tmp_path: Path) -> None:
    options = (*SYNTHETIC, "1500")
    undisturbed = vela(tmp_path / "whole", *options)
    partly = 0
    for _ in range(2):
        process = subprocess.Popen(
            command(tmp_path / "parts", *options),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
            env=environment(),
        )
        assert process.stderr is not None
        while "Everything is kept" not in process.stderr.readline():
            assert process.poll() is None
        time.sleep(0.2)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        partly += json.loads(out)["candles"] < 3 * 1500
        assert breaches(tmp_path / "parts") == []
    assert partly, "the market was over before anybody could end the run"
    assert vela(tmp_path / "parts", *options) == undisturbed
    assert trades(tmp_path / "parts") == trades(tmp_path / "whole")


# --------------------------------------------------------------------------------------------------------------- exits


@pytest.mark.parametrize(
    ("rules", "reasons"),
    [
        (Rules(stop_loss=Decimal("0.5")), {"stop_loss", "signal"}),
        (Rules(take_profit=Decimal("0.4")), {"take_profit", "signal"}),
        (Rules(stop_loss=Decimal("0.4"), take_profit=Decimal("0.3")), {"stop_loss", "take_profit"}),
        (Rules(stop_loss=Decimal(1), trailing=Decimal("0.4")), {"trailing", "signal"}),
        (
            Rules(stop_loss=Decimal(1), trailing=Decimal("0.3"), trailing_after=Decimal("0.5")),
            {"trailing", "signal"},
        ),
        (Rules(stop_loss=Decimal(1), break_even_after=Decimal("0.3")), {"break_even", "signal"}),
    ],
    ids=lambda value: " ".join(f"{k}={v}" for k, v in vars(value).items() if v) if isinstance(value, Rules) else "",
)
def test_every_exit_is_where_the_rules_put_it(rules: Rules, reasons: set[str], tmp_path: Path) -> None:
    path = write_recording(tmp_path / "BTCUSDT_1m.parquet", 3000, seed=11)
    options = [f"--{name.replace('_', '-')}={value}" for name, value in vars(rules).items()]
    vela(tmp_path / "data", "--market", str(path), "--strategy", "SmaCrossover", "--cooldown", "0", *options)
    _check_exits(tmp_path / "data", pl.read_parquet(path), rules, reasons)


def test_every_exit_of_a_real_market_is_where_the_rules_put_it(shared_data: Path, tmp_path: Path) -> None:
    path = shared_data / "candles" / "binance" / "ETHUSDT" / "1h.parquet"
    rules = Rules(stop_loss=Decimal(1), take_profit=Decimal(3))
    options = ("--stop-loss", "1", "--take-profit", "3", "--strategy", "SmaCrossover", "--cooldown", "0")
    vela(tmp_path / "data", "--market", str(path), *options)
    _check_exits(tmp_path / "data", pl.read_parquet(path), rules, {"stop_loss", "take_profit", "signal"})


def _check_exits(data_dir: Path, frame: pl.DataFrame, rules: Rules, reasons: set[str]) -> None:
    rows = exact_rows(frame)
    length = rows[1][0] - rows[0][0]
    index_of = {row[0]: index for index, row in enumerate(rows)}
    closed = trades(data_dir)
    assert len(closed) > 20
    assert {trade["exit_reason"] for trade in closed} >= reasons
    for trade in closed:
        first, left = index_of[trade["entry_time"]], trade["exit_time"] // length * length
        entry, price = Decimal(trade["entry_price"]), Decimal(trade["exit_price"])
        assert entry == bought_at(rows[first][1])
        forced = forced_exit(rows[first:], entry, rules)
        if trade["exit_reason"] == "signal":
            # Orders decided at a close meet the next open, before anything inside that candle.
            assert price == sold_at(rows[index_of[trade["exit_time"]]][1])
            assert forced is None or forced[0] >= left
        else:
            assert forced == (left, price, trade["exit_reason"])
        value, proceeds = entry * Decimal(trade["quantity"]), price * Decimal(trade["quantity"])
        assert Decimal(trade["fees"]) == (value + proceeds) * Decimal("0.001")
        assert Decimal(trade["pnl"]) == proceeds - value - Decimal(trade["fees"])


# --------------------------------------------------------------------------------------------------------- bad candles


@pytest.mark.parametrize(
    ("name", "refused"),
    [
        ("binance_BTCUSDT_1m_2019-11_duplicates", {"duplicate": 120}),
        ("binance_BNBUSDT_5m_2018-02_offgrid", {"off_grid": 241}),
    ],
)
def test_recordings_with_faults_are_named_counted_and_survived(name, refused, shared_data: Path, tmp_path) -> None:
    path = shared_data / "candles" / "anomalies" / f"{name}.parquet"
    summary = json.loads(vela(tmp_path / "data", "--market", str(path)))
    assert summary["refused_candles"] == refused
    assert summary["candles"] == summary["decisions"] == pl.read_parquet(path).height - sum(refused.values())
    assert summary["missing_candles"] == _missing(path)
    assert summary["trades"] > 10


def _missing(path: Path) -> int:
    times: list[int] = pl.read_parquet(path)["open_time"].to_list()
    length = min(later - earlier for earlier, later in pairwise(times) if later > earlier and earlier % 60_000 == 0)
    kept = {time for time in times if time % length == 0}
    return (max(kept) - min(kept)) // length + 1 - len(kept)


def test_nothing_of_a_broken_candle_reaches_the_account(tmp_path: Path) -> None:
    path = write_recording(tmp_path / "a" / "BTCUSDT_1m.parquet", 900)
    frame = pl.read_parquet(path).with_row_index()
    broken = frame.filter(pl.col("index") % 100 == 50)
    worse = pl.concat(
        [
            frame.filter(pl.col("index") % 100 != 50),
            broken.with_columns(close=pl.lit(float("nan"))),
            broken.with_columns(low=pl.lit(-1.0)),
            broken.with_columns(high=pl.lit(0.5)),
        ]
    ).sort("index", maintain_order=True)
    (tmp_path / "b").mkdir()
    worse.drop("index").write_parquet(tmp_path / "b" / "BTCUSDT_1m.parquet")
    frame.filter(pl.col("index") % 100 != 50).drop("index").write_parquet(path)
    without, with_broken = (
        json.loads(vela(tmp_path / f / "data", "--market", str(tmp_path / f / "BTCUSDT_1m.parquet"))) for f in "ab"
    )
    assert with_broken.pop("refused_candles") == {"inconsistent": 9, "not_finite": 9, "not_positive": 9}
    assert without.pop("refused_candles") == {}
    assert with_broken == without
    assert with_broken["missing_candles"] == 9
    assert trades(tmp_path / "a" / "data") == trades(tmp_path / "b" / "data")
