"""Backtests as jobs of a real `vela up`, which is killed."""

from __future__ import annotations

import asyncio
import gzip
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from tests.builders import random_walk
from tests.jobs import has_ended

from vela.adapters.storage.parquet import ParquetCandleStore
from vela.adapters.storage.sql.record import RECORD_FILE, open_record
from vela.domain.jobs import BacktestRequest, Job
from vela.domain.timeframe import Timeframe
from vela.domain.trading_symbol import TradingSymbol

DOGE = TradingSymbol("DOGE")
# Leaves its process's id and never comes back, until it is told that it may.
STUBBORN = """
import os, pathlib, time
from vela.strategies.sma_crossover import SmaCrossover

class Stubborn(SmaCrossover):
    def analyze(self, symbol, candles):
        pathlib.Path(f"pid-{self.fast}").write_text(str(os.getpid()))
        while not os.path.exists("go-on"):
            time.sleep(0.01)
        return super().analyze(symbol, candles)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for key in [key for key in os.environ if key.startswith("VELA_")]:
        monkeypatch.delenv(key)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "strategies").mkdir()
    (tmp_path / "strategies" / "stubborn.py").write_text(STUBBORN)
    store = ParquetCandleStore(tmp_path / "data" / "candles")
    store.write("test", DOGE, Timeframe.M1, random_walk(600, 1, 0.002))
    return tmp_path


async def ask(*jobs: Job) -> None:
    with open_record(Path("data")) as record:
        for job in jobs:
            await record.jobs.add(job)


def job(number: int) -> Job:
    return Job(f"job-{number}", BacktestRequest("Stubborn", {"fast": str(number)}, (DOGE,)), number)


def states() -> dict[str, str]:
    with closing(sqlite3.connect(Path("data") / RECORD_FILE)) as connection:
        return dict(connection.execute("SELECT id, state FROM jobs ORDER BY number"))


@contextmanager
def vela_up() -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "vela", "up", "--no-page", "--symbols", "BTC", "--data-dir", "data"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()


def wait(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, states()
        time.sleep(0.01)


@pytest.mark.parametrize("end", ["kill", "terminate"])
def test_a_job_that_ran_when_the_process_died_is_run_again_and_the_others_follow(folder: Path, end: str) -> None:
    asyncio.run(ask(job(5), job(6)))
    with vela_up() as process:
        wait(Path("pid-5").exists)
        wait(Path("pid-5").read_text)
        getattr(process, end)()
        process.wait(10)
    pid = int(Path("pid-5").read_text())
    wait(lambda: has_ended(pid))
    assert states() == {"job-5": "running", "job-6": "queued"}
    (folder / "go-on").touch()
    with vela_up():
        wait(lambda: states() == {"job-5": "done", "job-6": "done"})
    command = [sys.executable, "-m", "vela", "backtest", "Stubborn", "--set", "fast=5", "--symbol", "DOGE", "--json"]
    printed = subprocess.run([*command, "--data-dir", "data"], capture_output=True, check=True).stdout
    with closing(sqlite3.connect(Path("data") / RECORD_FILE)) as connection:
        results = connection.execute("SELECT number, document FROM job_results ORDER BY number").fetchall()
    assert [number for number, _ in results] == [1, 2]
    assert gzip.decompress(results[0][1]) == printed
