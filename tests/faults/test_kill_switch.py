"""A real `vela up`, and the kill switch set by processes of their own beside it."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from tests.faults.checker import breaches

from vela.adapters.storage.sql.record import RECORD_FILE

VELA = [sys.executable, "-m", "vela"]
# Many positions, held until their strategy sells.
RULES = ["--cooldown", "0", "--stop-loss", "0", "--max-positions", "8", "--speed", "3000"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for key in [key for key in os.environ if key.startswith("VELA_")]:
        monkeypatch.delenv(key)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@contextmanager
def vela_up() -> Iterator[subprocess.Popen[bytes]]:
    command = [*VELA, "up", "--no-page", "--data-dir", "data", *RULES]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.terminate()


def kill_switch(*arguments: str) -> dict[str, object]:
    command = [*VELA, "kill-switch", *arguments, "--json", "--data-dir", "data"]
    answer = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    assert isinstance(answer, dict)
    return answer


def ask(query: str) -> int:
    with closing(sqlite3.connect(f"file:data/{RECORD_FILE}?mode=ro", uri=True)) as connection:
        [[number]] = connection.execute(query).fetchall()
    return int(number)


def positions() -> int:
    return ask("SELECT count(*) FROM positions")


def entries() -> int:
    return ask("SELECT count(*) FROM orders WHERE purpose = 'entry'")


def refused() -> int:
    return ask("SELECT count(*) FROM signals WHERE refusal = 'kill_switch'")


def wait(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 60
    while True:
        try:
            if condition():
                return
        except sqlite3.OperationalError:  # not there yet
            pass
        assert time.monotonic() < end
        time.sleep(0.02)


def test_what_is_held_is_closed_and_nothing_is_entered_until_it_is_off_again(folder: Path) -> None:
    with vela_up() as process:
        wait(lambda: positions() >= 4)
        assert kill_switch("on", "--flatten", "--reason", "test")["flatten"] is True
        wait(lambda: positions() == 0)
        before, seen = entries(), refused()
        wait(lambda: refused() > seen + 5)
        assert (entries(), positions()) == (before, 0)
        assert ask("SELECT count(*) FROM trades WHERE exit_reason = 'kill_switch'") >= 1
        assert kill_switch("status")["state"] == "on"
        assert kill_switch("off")["state"] == "off"
        wait(lambda: entries() > before)
        assert process.poll() is None
    assert breaches(Path("data")) == []


def test_a_switch_that_was_set_while_nothing_ran_is_heeded_by_the_next_start(folder: Path) -> None:
    with vela_up():
        wait(lambda: positions() >= 4)
    kill_switch("on", "--flatten")
    before = entries()
    with vela_up():
        wait(lambda: positions() == 0)
        wait(lambda: refused() > 5)
    assert entries() == before
    assert breaches(Path("data")) == []
