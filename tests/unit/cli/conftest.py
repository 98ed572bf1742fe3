from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from vela.cli import download_run, service_session, session, venue_session
from vela.cli.main import main


class Answer(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def vela(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Callable[..., Answer]:
    """Run a command in an empty directory, inside this process."""
    for key in [key for key in os.environ if key.startswith("VELA_")]:
        monkeypatch.delenv(key)
    monkeypatch.chdir(tmp_path)
    # The process's logs belong to the tests.
    for module in (download_run, service_session, session, venue_session):
        monkeypatch.setattr(module, "set_up_logs", lambda: None)

    def run(*arguments: str) -> Answer:
        monkeypatch.setattr("sys.argv", ["vela", *arguments])
        capsys.readouterr()
        try:
            main()
        except SystemExit as e:
            code = e.code
        else:
            code = 0
        out, err = capsys.readouterr()
        return Answer(code if isinstance(code, int) else int(code is not None), out, err)

    return run


@pytest.fixture
def refuses(vela: Callable[..., Answer]) -> Callable[..., str]:
    """Run a command that must be refused as a user's mistake, and return what it says."""

    def run(*arguments: str) -> str:
        answer = vela(*arguments)
        assert answer.code == 2, answer
        assert answer.out == ""
        assert answer.err.startswith("vela: ")
        assert len(answer.err.splitlines()) == 1
        assert answer.err.endswith("\n")
        assert "Traceback" not in answer.err
        return answer.err

    return run
