from __future__ import annotations

from pathlib import Path

import pytest

from vela.backtest.bias.blame import blame, shown


def caught(action) -> BaseException:
    try:
        action()
    except Exception as e:  # noqa: BLE001
        return e
    raise AssertionError


def fail():
    raise ValueError("wrong\nhere")


def test_the_innermost_line_of_the_file_and_one_line_of_text():
    described = blame(caught(fail), __file__)
    line = fail.__code__.co_firstlineno + 1
    assert described == f"{shown(__file__)}:{line}: ValueError: wrong here"


def test_what_fails_in_a_library_is_blamed_on_the_line_that_called_it():
    def call():
        Path("/nowhere/at/all").read_text()

    assert f"test_blame.py:{call.__code__.co_firstlineno + 1}: FileNotFoundError: " in blame(caught(call), __file__)


def test_elsewhere_the_innermost_line_is_named():
    assert "test_blame.py" in blame(caught(fail), "other.py")
    assert "test_blame.py" in blame(caught(fail), None)


def test_a_syntax_error_has_its_own_place():
    error = caught(lambda: compile("x = (\n", "mine.py", "exec"))
    assert blame(error, None).startswith("mine.py:1: SyntaxError: ")


def test_an_error_without_text_or_traceback():
    assert blame(KeyError(), None) == "KeyError"


def test_paths_are_shown_from_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    assert shown(str(tmp_path / "strategies" / "a.py")) == "strategies/a.py"
    assert shown("/elsewhere/a.py") == "/elsewhere/a.py"
