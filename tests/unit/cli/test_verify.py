from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.builders import BTC, random_walk
from tests.fakes import write_recording

from vela.adapters.storage.parquet import ParquetCandleStore
from vela.domain.timeframe import Timeframe


@pytest.fixture
def result(tmp_path: Path, vela) -> Path:
    write_recording(tmp_path / "BTCUSDT_1m.parquet", 400)
    assert vela("backtest", "SmaCrossover", "--candles", "BTCUSDT_1m.parquet", "--out", "result.json").code == 0
    return tmp_path / "result.json"


VERIFY = ("verify", "result.json", "--candles", "BTCUSDT_1m.parquet")


def test_identical(result: Path, vela) -> None:
    assert vela(*VERIFY) == (0, "identical\n", "")
    assert json.loads(vela(*VERIFY, "--json").out) == {"identical": True, "differences": []}


def test_what_json_printed_can_be_verified_as_well(result: Path, vela) -> None:
    printed = vela("backtest", "SmaCrossover", "--candles", "BTCUSDT_1m.parquet", "--json").out
    result.write_text(printed)
    assert vela(*VERIFY).code == 0


def test_a_difference_is_exit_1_and_named(result: Path, vela) -> None:
    document = json.loads(result.read_text())
    document["summary"]["trades"] = 12_345
    result.write_text(json.dumps(document))
    answer = vela(*VERIFY)
    assert answer.code == 1
    assert answer.out.startswith("differs: summary.trades: 12345 then, ")
    assert json.loads(vela(*VERIFY, "--json").out)["identical"] is False


def test_without_files_the_candle_store_is_read(result: Path, vela, refuses, tmp_path: Path) -> None:
    assert "the candle store vela-data/candles is empty" in refuses("verify", "result.json")
    ParquetCandleStore(tmp_path / "kept" / "candles").write("binance", BTC, Timeframe.M1, random_walk(400, 1, 0.002))
    assert vela("verify", "result.json", "--data-dir", "kept") == (0, "identical\n", "")


def test_a_file_that_is_no_result(tmp_path: Path, refuses) -> None:
    (tmp_path / "x.json").write_text("{}")
    assert "accepted: a file that vela backtest wrote" in refuses("verify", "x.json")
    assert "x.parquet' does not exist" in refuses("backtest", "SmaCrossover", "--candles", "x.parquet")
