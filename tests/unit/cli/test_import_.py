from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

JANUARY_2025 = 1_735_689_600_000


def kline(step: int, close: float = 1.5) -> str:
    return f"{(JANUARY_2025 + step * 60_000) * 1000},1,2,0.5,{close},10,0,0,0,0,0,0"


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "BTCUSDT-1m-2025-01.zip"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("BTCUSDT-1m-2025-01.csv", "\n".join([kline(0), kline(1, -1.0), kline(2), kline(2)]))
    return path


def test_the_result_as_json(vela, archive: Path) -> None:
    answer = vela("import", archive.name, "--json")
    assert (answer.code, answer.err) == (0, "")
    assert json.loads(answer.out) == [
        {
            "file": "BTCUSDT-1m-2025-01.zip",
            "exchange": "binance",
            "symbol": "BTC",
            "timeframe": "1m",
            "rows": 4,
            "used": 2,
            "new": 2,
            "replaced": 0,
            "refused": {"duplicate": {"rows": 1, "first_line": 4}, "not_positive": {"rows": 1, "first_line": 2}},
            "error": None,
        }
    ]


def test_the_result_for_people(vela, archive: Path) -> None:
    answer = vela("import", archive.name)
    assert answer.code == 0
    assert "BTC 1m (binance)" in answer.out
    assert "BTCUSDT-1m-2025-01.zip: not_positive 1, first in line 2" in answer.err


def test_a_file_that_cannot_be_used_does_not_keep_the_others_from_being_taken(vela, archive: Path) -> None:
    Path("ETHUSDT-1m-2025-01.csv").write_text("hello")
    answer = vela("import", ".", "--json")
    assert answer.code == 1
    assert [(one["symbol"], one["new"], bool(one["error"])) for one in json.loads(answer.out)] == [
        ("BTC", 2, False),
        ("ETH", 0, True),
    ]
    assert "Not taken: ETHUSDT-1m-2025-01.csv has no column" in vela("import", ".").err


def test_settings_of_trading_say_nothing_of_files(vela, archive: Path) -> None:
    Path("vela.toml").write_text("symbols = ['ETH']\ntimeframe = '5m'\nstake = 'x'\n")
    [one] = json.loads(vela("import", archive.name, "--json").out)
    assert (one["symbol"], one["timeframe"], one["new"]) == ("BTC", "1m", 2)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nowhere",), "does not exist"),
        (("prices.csv",), "does not say its exchange"),
        (("prices.csv", "--symbol", "BTC,ETH"), "a file holds one symbol"),
        (("prices.csv", "--exchange", ""), "option exchange was ''"),
        (("prices.csv", "--timeframe", "7m"), "setting timeframe (option) was '7m'"),
    ],
)
def test_a_mistake_is_one_line(vela, tmp_path: Path, arguments, words: str) -> None:
    (tmp_path / "prices.csv").write_text(kline(0))
    answer = vela("import", *arguments)
    assert (answer.code, answer.out, len(answer.err.splitlines())) == (2, "", 1)
    assert words in answer.err
