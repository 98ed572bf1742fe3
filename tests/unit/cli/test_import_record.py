from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest


@pytest.fixture
def older(tmp_path: Path) -> Path:
    with closing(sqlite3.connect(tmp_path / "trading.db")) as connection:
        connection.executescript(
            "CREATE TABLE wallet (balance REAL, timestamp INTEGER); INSERT INTO wallet VALUES (10.5, 1700000000);"
        )
    return tmp_path / "trading.db"


def spoil(older: Path) -> None:
    with closing(sqlite3.connect(older)) as connection, connection:
        connection.execute("INSERT INTO wallet VALUES ('much', 1700000060)")


def test_what_was_taken_is_told(vela, older: Path) -> None:
    answer = vela("import-record", "trading.db")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out == (
        "wallet → older_wallets: 1 rows taken, 0 taken before, 0 left (time from timestamp, amount from balance)\n"
    )
    assert "0 rows taken, 1 taken before, 0 left" in vela("import-record", "trading.db").out


def test_rows_that_were_left_are_exit_1_and_a_line_each_in_the_report(vela, older: Path, tmp_path: Path) -> None:
    spoil(older)
    answer = vela("import-record", "trading.db", "--json", "--report", "rows.jsonl", "--source", "mine")
    assert (answer.code, answer.err) == (1, "")
    document = json.loads(answer.out)
    assert document["source"] == "mine"
    assert document["tables"]["wallet"] == {
        "into": "older_wallets",
        "rows": 2,
        "columns": {"time": "timestamp", "asset": None, "amount": "balance"},
        "taken": 1,
        "known": 0,
        "left": 1,
        "reason": "",
    }
    assert [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()] == [
        {"table": "wallet", "row": 1, "fate": "taken", "reason": ""},
        {"table": "wallet", "row": 2, "fate": "left", "reason": "balance: 'much' is no number"},
    ]
    assert vela("import-record", "trading.db").out.endswith("--report FILE says of every row why it was left\n")


def test_wrong_usage_is_one_line(refuses, older: Path, tmp_path: Path) -> None:
    assert "none.db is no file; accepted: the older system's SQLite file" in refuses("import-record", "none.db")
    assert "--source was ''" in refuses("import-record", "trading.db", "--source", "")
    (tmp_path / "rows.jsonl").write_text("mine")
    assert "rows.jsonl is there already" in refuses("import-record", "trading.db", "--report", "rows.jsonl")
    assert (tmp_path / "rows.jsonl").read_text() == "mine"
