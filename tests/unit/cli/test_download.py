from __future__ import annotations

import json

import numpy as np
import pytest
from tests.builders import BTC, ETH, MINUTE, candle

from vela.adapters.storage.parquet import ParquetCandleStore
from vela.cli import download_run
from vela.domain.errors import ConfigurationError, VenueUnavailable
from vela.domain.timeframe import Timeframe

HOUR_2024 = 1_704_067_200_000


class Connection:
    """An exchange in this process: an hour of two symbols."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.is_closed = False

    def clock_offset(self) -> int:
        return 0

    def instruments(self, symbols) -> None:
        if set(symbols) - {BTC, ETH}:
            raise ConfigurationError("DOGE is not listed; accepted: BTC, ETH")

    def history(self) -> Connection:
        return self

    async def page(self, symbol, timeframe, since, count):
        if since is not None and self.error is not None and symbol == ETH:
            raise self.error
        length = timeframe.milliseconds
        rows = [candle(HOUR_2024 + step * length, 1.0 + step) for step in range(60) if step != 7]
        return rows[-count:] if since is None else [row for row in rows if row.open_time >= since][:count]

    async def close(self) -> None:
        self.is_closed = True


@pytest.fixture
def exchange(monkeypatch: pytest.MonkeyPatch) -> Connection:
    made = Connection()

    async def connect(*_arguments, **_options) -> Connection:
        return made

    monkeypatch.setattr(download_run, "connect", connect)
    monkeypatch.setattr("vela.bootstrap.download._PAUSES", ())
    return made


WINDOW = ("--exchange", "binance", "--from", "2024-01-01", "--to", "2024-01-01T00:30")


def test_the_result_as_json(vela, exchange, tmp_path) -> None:
    answer = vela("download", *WINDOW, "--symbols", "BTC,ETH", "--json")
    assert (answer.code, answer.err) == (0, "")
    gap = {"from": HOUR_2024 + 7 * MINUTE, "to": HOUR_2024 + 8 * MINUTE, "missing": 1}
    rows = {"rows": 29, "new": 29, "refused": {}, "missing": 1, "gaps": [gap], "error": None}
    assert json.loads(answer.out) == {
        "exchange": "binance",
        "timeframe": "1m",
        "from": HOUR_2024,
        "to": HOUR_2024 + 30 * MINUTE,
        "interrupted": False,
        "symbols": [{"symbol": "BTC", **rows}, {"symbol": "ETH", **rows}],
    }
    stored = ParquetCandleStore(tmp_path / "vela-data" / "candles").read("binance", ETH, Timeframe.M1)
    assert len(stored) == 29
    assert np.all(stored.open_time < HOUR_2024 + 30 * MINUTE)
    assert exchange.is_closed


def test_the_result_for_people_and_a_second_run_that_finds_nothing_to_do(vela, exchange) -> None:
    answer = vela("download", *WINDOW, "--symbols", "BTC")
    assert answer.out.splitlines()[1].split() == ["BTC", "29", "–", "1", "in", "1", "gaps"]
    assert answer.err == "2024-01-01 00:00 – 2024-01-01 00:30 UTC\n"
    assert json.loads(vela("download", *WINDOW, "--symbols", "BTC", "--json").out)["symbols"][0]["new"] == 0


def test_what_could_not_be_asked_for_is_said_and_exits_with_one(vela, exchange) -> None:
    exchange.error = VenueUnavailable("no answer")
    answer = vela("download", *WINDOW, "--symbols", "BTC,ETH")
    assert answer.code == 1
    assert "ETH: no answer" in answer.err
    answer = vela("download", *WINDOW, "--symbols", "BTC,ETH", "--json")
    assert answer.code == 1
    assert [one["error"] for one in json.loads(answer.out)["symbols"]] == [None, "no answer"]


def test_another_servers_candles_are_kept_apart(vela, exchange) -> None:
    answer = vela("download", *WINDOW, "--symbols", "BTC", "--exchange-url", "http://127.0.0.1:1", "--json")
    assert json.loads(answer.out)["exchange"] == "binance-elsewhere"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--exchange", "binance"), "setting symbols is not set; accepted: --symbols BTC,ETH"),
        (("--symbols", "BTC"), "setting exchange is not set; accepted: --exchange binance"),
        (("--symbols", "BTC", "--exchange", "nyse"), "setting exchange (option) was 'nyse'; accepted: binance"),
        ((*WINDOW, "--symbols", "DOGE"), "DOGE is not listed"),
        ((*WINDOW, "--symbols", "BANANA1"), "accepted"),
        ((*WINDOW, "--symbols", "BTC", "--timeframe", "7m"), "setting timeframe (option) was '7m'"),
        ((*WINDOW[:4], "--symbols", "BTC", "--to", "2023-01-01"), "setting to (option) was '2023-01-01'; accepted: a"),
        ((*WINDOW[:2], "--symbols", "BTC", "--from", "2190-01-01"), "no candle has closed between from and to"),
        ((*WINDOW, "--symbols", "BTC", "--exchange-url", "ftp://x"), "accepted: an address such as http://"),
    ],
)
def test_a_mistake_is_one_line(vela, exchange, arguments, words) -> None:
    answer = vela("download", *arguments)
    assert (answer.code, answer.out) == (2, "")
    assert words in answer.err
    assert len(answer.err.splitlines()) == 1
