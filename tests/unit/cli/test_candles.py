from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.builders import BTC, ETH, MINUTE, candle

from vela.adapters.storage.parquet import ParquetCandleStore
from vela.domain.candles import Candles
from vela.domain.timeframe import Timeframe


@pytest.fixture(autouse=True)
def _stored(tmp_path: Path) -> None:
    store = ParquetCandleStore(tmp_path / "vela-data" / "candles")
    rows = [candle(minute * MINUTE, 1.0 + minute) for minute in (0, 1, 2, 5, 6, 9)]
    store.write("binance", BTC, Timeframe.M1, Candles.from_rows(rows))
    store.write("kraken", ETH, Timeframe.H1, Candles.from_rows([candle(0, 1.0)]))


def test_the_list_as_json(vela) -> None:
    answer = vela("candles", "--json")
    assert (answer.code, answer.err) == (0, "")
    one, other = json.loads(answer.out)
    assert one.pop("bytes") > 0
    assert one == {
        "exchange": "binance",
        "symbol": "BTC",
        "timeframe": "1m",
        "first": 0,
        "last": 9 * MINUTE,
        "rows": 6,
        "missing": 4,
        "gaps": 2,
    }
    assert (other["exchange"], other["timeframe"], other["gaps"]) == ("kraken", "1h", 0)


def test_gaps_are_listed_when_they_are_asked_for(vela) -> None:
    [one] = json.loads(vela("candles", "--json", "--gaps", "--symbols", "BTC").out)
    assert one["gap_list"] == [
        {"from": 3 * MINUTE, "to": 5 * MINUTE, "missing": 2},
        {"from": 7 * MINUTE, "to": 9 * MINUTE, "missing": 2},
    ]
    assert "1970-01-01 00:03" in vela("candles", "--gaps").out
    assert "1970-01-01 00:03" not in vela("candles").out


def test_only_what_is_asked_for(vela) -> None:
    assert [one["symbol"] for one in json.loads(vela("candles", "--json", "--timeframe", "1h").out)] == ["ETH"]
    assert vela("candles", "--symbols", "ETH").out.splitlines()[1].split()[:3] == ["kraken", "ETH", "1h"]


def test_nothing_stored_is_a_finding(vela) -> None:
    answer = vela("candles", "--symbols", "SOL", "--json")
    assert (answer.code, answer.out) == (1, "[]\n")
    assert "No such candles are stored in elsewhere/candles" in vela("candles", "--data-dir", "elsewhere").err
