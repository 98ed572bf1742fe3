"""`vela download` over the wire, as its own process, from a venue of ours."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.integration.venue_server import RunningVenue, running_venue

from vela.adapters.storage.parquet import ParquetCandleStore
from vela.domain.candles import Candles
from vela.domain.timeframe import Timeframe
from vela.domain.trading_symbol import TradingSymbol

MINUTE = 60_000
BTC = TradingSymbol("BTC")


@pytest.fixture
def venue() -> Iterator[RunningVenue]:
    with running_venue() as made:
        yield made


def begin(venue: RunningVenue, data_dir: Path, *arguments: str) -> subprocess.Popen[str]:
    address = ("--exchange", "binance", "--exchange-url", venue.http, "--data-dir", str(data_dir), "--json")
    command = [sys.executable, "-m", "vela", "download", *address, *arguments]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("VELA_")}
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, cwd=data_dir
    )


def download(venue: RunningVenue, data_dir: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    process = begin(venue, data_dir, *arguments)
    out, err = process.communicate(timeout=90)
    assert "Traceback" not in err
    return process.returncode, json.loads(out)


def klines(venue: RunningVenue) -> list[list[Any]]:
    """Return the exchange's candles, without the one that is forming."""
    rows: list[list[Any]] = venue.public("klines?symbol=BTCUSDT&interval=1m&limit=1000&startTime=0")
    return rows[:-1]


def stored(data_dir: Path) -> Candles:
    return ParquetCandleStore(data_dir / "candles").read("binance-elsewhere", BTC, Timeframe.M1)


def test_candles_come_over_the_wire_as_they_are_and_a_gap_is_filled(venue: RunningVenue, tmp_path: Path) -> None:
    rows = klines(venue)
    start, end = rows[0][0], rows[200][0]
    window = ("--from", str(start), "--to", str(end))
    code, result = download(venue, tmp_path, "--symbols", "BTC,ETH", *window)
    assert code == 0
    assert [(one["symbol"], one["new"], one["gaps"]) for one in result["symbols"]] == [
        ("BTC", 200, []),
        ("ETH", 200, []),
    ]
    told = [[row[0], *map(float, row[1:6])] for row in rows[:200]]
    assert [
        [*row]
        for row in zip(
            *(
                getattr(stored(tmp_path), name).tolist()
                for name in ("open_time", "open", "high", "low", "close", "volume")
            ),
            strict=True,
        )
    ] == told
    # A part of it is lost.
    store, whole = ParquetCandleStore(tmp_path / "candles"), stored(tmp_path)
    next((tmp_path / "candles").rglob("BTC-USDT/1m/*.parquet")).unlink()
    store.write("binance-elsewhere", BTC, Timeframe.M1, whole.slice(0, 50))
    store.write("binance-elsewhere", BTC, Timeframe.M1, whole.slice(60, 200))
    code, result = download(venue, tmp_path, "--symbols", "BTC", *window)
    assert (code, result["symbols"][0]["rows"], result["symbols"][0]["new"]) == (0, 10, 10)
    assert stored(tmp_path).rows() == whole.rows()


def test_an_exchange_in_trouble_is_asked_again(venue: RunningVenue, tmp_path: Path) -> None:
    rows = klines(venue)
    for number, kind in enumerate(("drop_before", "garbage"), start=1):
        venue.fault("GET /api/v3/klines", kind, nth=number)
    code, result = download(venue, tmp_path, "--symbols", "BTC", "--from", str(rows[0][0]), "--to", str(rows[99][0]))
    assert (code, result["symbols"][0]["new"], result["symbols"][0]["error"]) == (0, 99, None)


def test_interrupted_it_leaves_cleanly_and_keeps_what_came(venue: RunningVenue, tmp_path: Path) -> None:
    rows = klines(venue)
    window = ("--from", str(rows[0][0]), "--to", str(rows[300][0]))
    store = ParquetCandleStore(tmp_path / "candles")
    _, _ = download(venue, tmp_path, "--symbols", "BTC", *window)
    whole = stored(tmp_path)
    next((tmp_path / "candles").rglob("BTC-USDT/1m/*.parquet")).unlink()
    for step in range(0, 300, 100):  # three gaps, a request each
        store.write("binance-elsewhere", BTC, Timeframe.M1, whole.slice(step, step + 50))
    venue.fault(
        "GET /api/v3/klines", "delay", nth=3, args={"seconds": 60}
    )  # the newest one and the first gap before it
    process = begin(venue, tmp_path, "--symbols", "BTC", *window)
    while len(stored(tmp_path)) < 200 and process.poll() is None:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "Traceback" not in err
    result = json.loads(out)
    assert (result["interrupted"], result["symbols"][0]["new"], result["symbols"][0]["missing"]) == (True, 50, 100)
    venue.control.delete("/faults")
    code, result = download(venue, tmp_path, "--symbols", "BTC", *window)
    assert (code, result["symbols"][0]["new"], result["symbols"][0]["missing"]) == (0, 100, 0)
    assert stored(tmp_path).rows() == whole.rows()
