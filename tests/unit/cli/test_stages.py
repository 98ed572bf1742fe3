from __future__ import annotations

import io
import sys
import time

import pytest
from rich.progress import Progress

from vela.cli import stages


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(monkeypatch: pytest.MonkeyPatch, terminal: io.StringIO, seconds: float) -> str:
    monkeypatch.setattr(stages, "_NOTICED_AFTER_SECONDS", 0.05)
    monkeypatch.setattr(sys, "stderr", terminal)
    with stages.stages(2) as at:
        at.enter("reading")
        at.enter("trading")
        at.part(0.5)
        time.sleep(seconds)
    return terminal.getvalue()


def test_work_that_nobody_waits_for_shows_nothing(monkeypatch) -> None:
    assert "trading" not in shown(monkeypatch, Terminal(), 0.0)


def test_long_work_shows_what_it_is_doing(monkeypatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    assert "trading" in shown(monkeypatch, Terminal(), 0.5)


def test_the_bar_tells_parts_of_a_stage() -> None:
    bar = Progress()
    at = stages.Stages(bar, 4)
    at.enter("reading")
    at.enter("trading")
    at.part(0.5)
    assert (bar.tasks[0].completed, bar.tasks[0].total) == (1.5, 4)


def test_without_a_terminal_nothing_is_shown(monkeypatch) -> None:
    assert shown(monkeypatch, io.StringIO(), 0.3) == ""


def test_an_error_passes_through_and_takes_the_bar_away(monkeypatch) -> None:
    with pytest.raises(KeyboardInterrupt), stages.stages(1):
        raise KeyboardInterrupt
