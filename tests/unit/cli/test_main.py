from __future__ import annotations

import subprocess
import sys

import pytest

from vela.cli import up
from vela.domain.errors import VelaError
from vela.services.supervisor import ServicesFailed
from vela.version import __version__

COMMANDS = (
    "up",
    "backtest",
    "replay",
    "verify",
    "symbols",
    "strategies",
    "check",
    "new-strategy",
    "kill-switch",
    "login-link",
)


# What takes long to load, and what no help needs.
HEAVY = ("numba", "numpy", "polars", "sqlalchemy", "talib", "fastapi", "asyncio", "rich.progress")


def in_a_process(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_loads_nothing_that_takes_long(command: str) -> None:
    done = in_a_process("-X", "importtime", "-m", "vela", *[command][: bool(command)], "--help")
    assert done.returncode == 0, done.stderr
    assert "Usage: vela" in done.stdout.replace("python -m vela", "vela")
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "vela.cli.main" in loaded
    assert loaded.isdisjoint(HEAVY)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_each_command_shows_an_example(command: str, vela) -> None:
    assert f"Example: vela {command}" in " ".join(vela(command, "--help").out.split())


def test_the_help_names_every_command(vela) -> None:
    answer = vela("--help")
    assert answer.code == 0
    assert all(f"  {command} " in answer.out for command in COMMANDS)


def test_without_a_command_the_help_is_shown_as_wrong_usage(vela) -> None:
    answer = vela()
    assert answer.code == 2
    assert "Commands:" in answer.out + answer.err


def test_the_version_is_printed(vela) -> None:
    assert vela("--version") == (0, f"vela {__version__}\n", "")


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["bogus"], "bogus"),
        (["up", "--bogus"], "--bogus"),
        (["up", "--port", "abc"], "--port"),
        (["up", "--seed", "1.5"], "--seed"),
        (["up", "--candles", ""], "--candles"),
        (["up", "--max-positions", "two"], "--max-positions"),
        (["up", "--market"], "--market"),
        (["up", "extra"], "extra"),
        (["symbols"], "names"),
        (["login-link", "--port", "x"], "--port"),
    ],
)
def test_wrong_usage_names_what_is_wrong(arguments: list[str], named: str, vela) -> None:
    answer = vela(*arguments)
    assert answer.code == 2
    assert answer.out == ""
    assert named in answer.err
    assert "Traceback" not in answer.err


@pytest.mark.parametrize(
    ("error", "code"), [(VelaError("something\nwas wrong"), 2), (ServicesFailed("brain: 5 failures"), 1)]
)
def test_an_error_raised_on_purpose_is_one_line(error: VelaError, code: int, vela, monkeypatch) -> None:
    def fail(*_arguments: object, **_options: object) -> None:
        raise error

    monkeypatch.setattr("vela.cli.session.run_session", fail)
    answer = vela("up")
    assert answer == (code, "", f"vela: {' '.join(str(error).splitlines())}\n")


def test_python_m_vela_is_vela() -> None:
    done = in_a_process("-m", "vela", "symbols", "FOO")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("vela: item 1 of the symbol list: 'FOO' is no trading symbol")
    assert len(done.stderr.splitlines()) == 1


def test_the_command_up_imports_nothing_heavy_before_it_runs() -> None:
    heavy = ("polars", "sqlalchemy", "talib", "fastapi", "numpy", "pydantic")
    code = f"import sys, {up.__name__}, vela.cli.main; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
