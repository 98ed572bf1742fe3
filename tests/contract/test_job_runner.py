"""What every runner of jobs must do, on real candles."""

from __future__ import annotations

import asyncio
import gzip
import os
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from tests.builders import random_walk
from tests.fakes import until
from tests.jobs import has_ended

from vela.adapters.storage.parquet import ParquetCandleStore
from vela.bootstrap.backtest import encode_document, run_backtest
from vela.bootstrap.jobs import ProcessRunner
from vela.bootstrap.settings import load_backtest_settings
from vela.domain.errors import JobFailed
from vela.domain.jobs import BacktestRequest
from vela.domain.timeframe import Timeframe
from vela.domain.trading_symbol import TradingSymbol
from vela.ports.jobs import JobRunner
from vela.strategies.sma_crossover import SmaCrossover

BTC, ETH = (TradingSymbol(name) for name in ("BTC", "ETH"))
SLOW = """
import os, subprocess, sys, time
from vela.strategies.sma_crossover import SmaCrossover

class Slow(SmaCrossover):
    def analyze(self, symbol, candles):
        print("noise")
        other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        open("pids", "w").write(f"{os.getpid()} {other.pid}")
        time.sleep(60)
"""


@pytest.fixture(params=["process"])
def runner(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> JobRunner:
    for key in [key for key in os.environ if key.startswith("VELA_")]:
        monkeypatch.delenv(key)
    monkeypatch.chdir(tmp_path)
    store = ParquetCandleStore(tmp_path / "data" / "candles")
    for seed, symbol in enumerate((BTC, ETH)):
        store.write("test", symbol, Timeframe.M1, random_walk(600, seed, 0.002))
    return {"process": lambda: ProcessRunner(Path("data"))}[request.param]()


@pytest.fixture
def strategies(tmp_path: Path) -> Callable[[str], None]:
    def write(text: str) -> None:
        (tmp_path / "strategies").mkdir(exist_ok=True)
        (tmp_path / "strategies" / "own.py").write_text(text)

    return write


async def silent(stage: str, done: float) -> None:
    pass


async def test_the_document_is_to_the_byte_that_of_the_command(runner: JobRunner) -> None:
    heard: list[tuple[str, float]] = []

    async def hear(stage: str, done: float) -> None:
        heard.append((stage, done))

    result = await runner.run(BacktestRequest("SmaCrossover", {"fast": "7"}, rules={"stake": "5%"}), hear)
    settings = load_backtest_settings({"data_dir": "data", "stake": "5%"}, {})
    expected = run_backtest(SmaCrossover(fast=7), settings, (), symbols_given=False)
    assert gzip.decompress(result.document) == encode_document(expected.document())
    assert result.summary == expected.result.summary()
    assert gzip.decompress(result.report).startswith(b"<!doctype html>")
    stages = list(dict.fromkeys(stage for stage, _ in heard))
    assert (stages[0], stages[-2:]) == ("reading", ["trading", "reporting"])
    assert [done for _, done in heard] == sorted(done for _, done in heard)
    assert sum(stage == "trading" for stage, _ in heard) >= 2  # one for each symbol


@pytest.mark.parametrize(
    ("request_", "sentence"),
    [
        (BacktestRequest("Foo"), "strategy 'Foo' is unknown; accepted: SmaCrossover"),
        (BacktestRequest("SmaCrossover", {"fast": "99"}), "SmaCrossover.fast was 99; accepted: a whole number from 5"),
        (BacktestRequest("SmaCrossover", symbols=(TradingSymbol("DOGE"),)), "no candles of DOGE are stored; accepted"),
        (BacktestRequest("SmaCrossover", start=9, end=5), "from was 9 and to 5; accepted: from before to"),
        (BacktestRequest("SmaCrossover", rules={"stake": "x"}), "setting stake (option) was 'x'; accepted: "),
        (BacktestRequest("SmaCrossover", rules={"data_dir": "/"}), "rule 'data_dir' is unknown; accepted: capital, "),
    ],
)
async def test_what_makes_no_sense_fails_with_one_sentence(runner, request_, sentence: str) -> None:
    with pytest.raises(JobFailed) as failure:
        await runner.run(request_, silent)
    assert str(failure.value).startswith(sentence)
    assert len(str(failure.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("raise ZeroDivisionError('by nothing')", "own.py:5: ZeroDivisionError: by nothing"),
        ("import os; os._exit(3)", "its process ended with status 3, perhaps for want of memory; accepted: "),
    ],
)
async def test_a_strategy_that_breaks_is_named_and_no_traceback(runner, strategies, body: str, sentence: str) -> None:
    strategies(
        "from vela.strategies.sma_crossover import SmaCrossover\n\n"
        f"class Own(SmaCrossover):\n    def analyze(self, symbol, candles):\n        {body}\n"
    )
    with pytest.raises(JobFailed) as failure:
        await runner.run(BacktestRequest("Own"), silent)
    assert sentence in str(failure.value)
    assert len(str(failure.value).splitlines()) == 1


async def test_cancelled_nothing_of_it_goes_on(runner, strategies, tmp_path: Path) -> None:
    strategies(SLOW)
    work = asyncio.create_task(runner.run(BacktestRequest("Slow"), silent))
    await until((tmp_path / "pids").exists)
    await until((tmp_path / "pids").read_text)
    pids = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
    assert not any(map(has_ended, pids))
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    await until(lambda: all(map(has_ended, pids)))
    with pytest.raises(ChildProcessError):  # it was buried: no zombie is left
        os.waitpid(pids[0], os.WNOHANG)  # noqa: ASYNC222  it does not wait


async def test_a_result_holds_what_json_can(runner: JobRunner) -> None:
    result = await runner.run(BacktestRequest("SmaCrossover", symbols=(BTC,), start=0, end=60_000), silent)
    assert msgspec.json.decode(gzip.decompress(result.document))["summary"]["candles"] == 1
    assert (result.summary["sharpe"], result.summary["trades"]) == (None, 0)
