from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from vela.adapters.storage.sql.migration import HEAD
from vela.adapters.storage.sql.record import RECORD_FILE, open_record
from vela.ports.record import Changes, LimitMarks

LOST = LimitMarks(20_089, Decimal(1000), True, Decimal(1000), True, 0)  # 2025-01-01


@pytest.fixture
def account(tmp_path: Path) -> Path:
    open_record(tmp_path / "vela-data").close()
    return tmp_path / "vela-data"


def settings_made(account: Path) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(account / RECORD_FILE)) as connection:
        columns = "number, is_on, flatten, reason, by, resets"
        return connection.execute(f"SELECT {columns} FROM kill_switch ORDER BY number").fetchall()  # noqa: S608


def test_on_and_off_are_written_down_one_after_the_other(vela, account: Path) -> None:
    assert vela("kill-switch", "status").out == "kill switch: off\n"
    on = vela("kill-switch", "on", "--flatten", "--reason", "away for a week")
    assert on.out.startswith("kill switch: on since 20")
    assert on.out.endswith(" UTC (away for a week), positions are closed\n")
    assert vela("kill-switch", "status") == on
    off = vela("kill-switch", "off", "--reset-limits", "--data-dir", "vela-data")
    assert (off.code, off.err) == (0, "")
    assert off.out.startswith("kill switch: off since 20")
    assert settings_made(account) == [(1, 1, 1, "away for a week", "command", 0), (2, 0, 0, "", "command", 1)]


def test_the_state_as_json(vela, account: Path) -> None:
    never = json.loads(vela("kill-switch", "status", "--json").out)
    assert never == {
        "state": "off",
        "flatten": False,
        "time": None,
        "reason": "",
        "by": "",
        "daily_loss": False,
        "drawdown": False,
    }
    on = json.loads(vela("kill-switch", "on", "--json", "--reason", "x").out)
    assert on == never | {"state": "on", "reason": "x", "by": "command", "time": on["time"]}
    assert on["time"] > 1_700_000_000_000


def test_limits_that_were_crossed_are_told_until_they_are_lifted(vela, account: Path) -> None:
    with open_record(account) as record:
        asyncio.run(record.trading.commit(Changes(limit_marks=LOST)))
    assert vela("kill-switch", "status").out.splitlines() == [
        "kill switch: off",
        "daily loss: more than allowed on 2025-01-01 (UTC)",
        "drawdown: more than allowed; vela kill-switch off --reset-limits lifts that",
    ]
    document = json.loads(vela("kill-switch", "status", "--json").out)
    assert (document["daily_loss"], document["drawdown"]) == (True, True)
    assert len(vela("kill-switch", "off", "--reset-limits").out.splitlines()) == 1


def test_it_works_while_a_system_holds_the_record(vela, account: Path) -> None:
    with open_record(account) as record:
        assert vela("kill-switch", "on").code == 0
        assert asyncio.run(record.kill_switch.state()).is_on


def test_it_works_whatever_else_is_set_wrong(vela, account: Path, tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "vela.toml").write_text("stop_loss = 'x'\nbogus = 1\n")
    monkeypatch.setenv("VELA_STAKE", "nothing")
    assert vela("kill-switch", "on").code == 0
    assert len(settings_made(account)) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["maybe"], "action was 'maybe'; accepted: on, off, status"),
        (["ON"], "action was 'ON'; accepted: on, off, status"),
        (["off", "--flatten"], "--flatten does nothing with off; accepted: with on"),
        (["on", "--reset-limits"], "--reset-limits does nothing with on; accepted: with off"),
        (["status", "--reason", "x"], "--reason does nothing with status; accepted: with on and off"),
        (["on", "--reason", "a\nb"], "reason was 'a\\nb'; accepted: a line of up to 200 characters"),
        (["on", "--reason", "x" * 201], "accepted: a line of up to 200 characters"),
        (["on", "--reason", "\udcff"], "accepted: a line of up to 200 characters"),
        (["on", "--data-dir", ""], "setting data_dir (option) was ''"),
    ],
)
def test_wrong_usage_is_one_line_and_sets_nothing(arguments: list[str], said: str, refuses, account: Path) -> None:
    assert said in refuses("kill-switch", *arguments)
    assert settings_made(account) == []


def test_an_action_is_needed(vela, account: Path) -> None:
    answer = vela("kill-switch")
    assert answer.code == 2
    assert "action" in answer.err.lower()


@pytest.mark.parametrize("action", ["on", "off", "status"])
def test_a_directory_without_an_account_is_refused_and_not_made(action: str, refuses, tmp_path: Path) -> None:
    said = refuses("kill-switch", action, "--data-dir", "nowhere")
    assert "data_dir 'nowhere' holds no account; accepted: the --data-dir of a vela up" in said
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("action", ["on", "status"])
@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("garbage", "file is not a database"),
        ("empty", f"has schema None; accepted: {HEAD}, to which a start of vela up brings it"),
        ("older", f"has schema 0004; accepted: {HEAD}"),
        ("foreign", "belongs to another program"),
    ],
)
def test_a_record_that_cannot_be_used_is_a_failure_in_one_line(
    action: str, damage: str, said: str, vela, account: Path
) -> None:
    file = account / RECORD_FILE
    if damage == "older":
        with closing(sqlite3.connect(file)) as connection, connection:
            connection.execute("UPDATE alembic_version SET version_num = '0004'")
    else:
        file.unlink()
        file.write_bytes(b"garbage" * 1_000 if damage == "garbage" else b"")
    if damage == "foreign":
        with closing(sqlite3.connect(file)) as connection, connection:
            connection.execute("CREATE TABLE bookmarks (id INTEGER)")
    answer = vela("kill-switch", action)
    assert (answer.code, answer.out, len(answer.err.splitlines())) == (1, "", 1)
    assert answer.err.startswith("vela: ")
    assert said in answer.err
