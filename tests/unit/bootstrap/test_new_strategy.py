from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from vela.bootstrap.new_strategy import write_strategy
from vela.bootstrap.strategies import load_strategy
from vela.bootstrap.strategy_checks import check_thoroughly
from vela.domain.errors import ConfigurationError, StrategyError


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("MyBreakout", "my_breakout"),
        ("RSI2", "rsi2"),
        ("X", "x"),
        ("HTTPTrend", "http_trend"),
        ("Ema20Cross", "ema20_cross"),
    ],
)
def test_the_files_are_named_after_the_class(name: str, module: str, tmp_path: Path):
    strategy, test = write_strategy(name, tmp_path)
    assert strategy == tmp_path / "strategies" / f"{module}.py"
    assert test == tmp_path / "tests" / f"test_{module}.py"
    assert load_strategy(name, directory=strategy.parent).name == name


def test_it_is_short_and_passes_every_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    strategy, _ = write_strategy("MyBreakout", tmp_path)
    assert len(strategy.read_text().splitlines()) < 55
    for values in ({}, {"entry": 5, "leave": 5}, {"entry": 100, "leave": 100}):
        report = check_thoroughly(load_strategy("MyBreakout", values, strategy.parent))
        assert report.findings == ()
        assert report.measured_warmup == report.warmup


def test_its_test_passes_with_plain_pytest(tmp_path: Path):
    write_strategy("MyBreakout", tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:asyncio"],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout


@pytest.mark.parametrize("there", ["strategies/my_breakout.py", "tests/test_my_breakout.py"])
def test_nothing_is_written_over(there: str, tmp_path: Path):
    path = tmp_path / there
    path.parent.mkdir()
    path.write_text("precious")
    with pytest.raises(ConfigurationError, match=f"{path.name} is there already; accepted: another name"):
        write_strategy("MyBreakout", tmp_path)
    assert path.read_text() == "precious"
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == [path]


@pytest.mark.parametrize(
    "name",
    ["", "myBreakout", "My Breakout", "My_Breakout", "2Fast", "My-Breakout", "../Evil", "None", "Ünder", "X" * 61],
)
def test_names_that_are_no_class_names(name: str, tmp_path: Path):
    with pytest.raises(StrategyError, match="accepted: letters and digits, a capital first, such as MyBreakout"):
        write_strategy(name, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["SmaCrossover", "Strategy"])
def test_names_that_are_taken(name: str, tmp_path: Path):
    with pytest.raises(StrategyError, match=f"accepted: another one, such as My{name}"):
        write_strategy(name, tmp_path)


def test_a_folder_that_cannot_be_made(tmp_path: Path):
    (tmp_path / "strategies").write_text("a file")
    with pytest.raises(ConfigurationError, match=r"cannot be written: .*; accepted: a writable folder"):
        write_strategy("MyBreakout", tmp_path)
