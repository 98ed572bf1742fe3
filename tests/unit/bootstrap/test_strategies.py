from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from vela.bootstrap.strategies import (
    find_all_strategies,
    find_strategy,
    is_shipped,
    load_strategy,
    make,
    read_values,
)
from vela.domain.errors import StrategyError
from vela.strategies.registry import SHIPPED
from vela.strategies.sma_crossover import SmaCrossover

HEAD = """\
import numpy as np
from vela.domain.signal import Signals
from vela.strategies.base import Strategy, param
"""
BODY = """
    warmup = 1

    def analyze(self, symbol, candles):
        return Signals(candles.close > candles.open, candles.close < candles.open)
"""
MINE = f"{HEAD}\nclass Mine(Strategy):\n    size: int = param(3, low=1, high=9)\n{BODY}"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A user's directory, which leaves nothing behind in this process."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    known = set(sys.modules)
    (tmp_path / "strategies").mkdir()
    yield tmp_path
    for name in set(sys.modules) - known:
        if name.startswith(("strategies", "own_")):
            del sys.modules[name]


def write(text: str, name: str = "mine.py") -> Path:
    path = Path("strategies") / name
    path.write_text(text)
    return path


def refused(name: str = "Mine") -> str:
    with pytest.raises(StrategyError) as refusal:
        load_strategy(name)
    text = str(refusal.value)
    assert len(text.splitlines()) == 1
    return text


# ---------------------------------------------------------------------------------------------------- what can be found


def test_shipped_ones_are_found_without_a_directory(tmp_path: Path):
    assert find_strategy("SmaCrossover", tmp_path / "none") is SmaCrossover
    assert find_all_strategies(tmp_path / "none") == SHIPPED
    assert is_shipped(SmaCrossover)


def test_a_users_own_is_found_by_its_class_with_its_parameters():
    write(MINE)
    strategy = load_strategy("Mine", {"size": 5})
    assert (strategy.name, strategy.settings) == ("Mine", {"size": 5})
    assert not is_shipped(type(strategy))
    assert list(find_all_strategies()) == [*SHIPPED, "Mine"]


def test_several_in_one_file_and_bases_that_are_no_strategies_themselves():
    write(f"{HEAD}\nclass Base(Strategy):\n{BODY}\nclass One(Base):\n    pass\n\nclass Two(Base):\n    pass\n")
    assert list(find_all_strategies())[-2:] == ["One", "Two"]
    assert load_strategy("Two").name == "Two"


def test_only_the_file_asked_for_is_run():
    write(MINE)
    write("raise SystemExit('ran')\nclass Other(Strategy): pass\n", "other.py")
    assert load_strategy("Mine").name == "Mine"
    assert find_strategy("SmaCrossover") is SmaCrossover
    assert "other.py:1: SystemExit: ran" in refused("Other")


def test_what_begins_with_an_underscore_is_for_others_to_import():
    write("THRESHOLD = 2\n", "_shared.py")
    write(f"from strategies._shared import THRESHOLD\n{MINE}")
    assert load_strategy("Mine").name == "Mine"
    assert list(find_all_strategies())[-1] == "Mine"


def test_a_changed_file_is_read_anew_and_leaves_no_compiled_copy():
    path = write(MINE)
    assert load_strategy("Mine").settings == {"size": 3}
    path.write_text(MINE.replace("param(3,", "param(4,"))
    assert load_strategy("Mine").settings == {"size": 4}
    assert list(Path("strategies").iterdir()) == [path]


def test_any_importable_class_by_module_and_name(home: Path):
    (home / "own_package").mkdir()
    (home / "own_package" / "trend.py").write_text(MINE)
    assert load_strategy("own_package.trend:Mine").name == "Mine"
    assert load_strategy("vela.strategies.sma_crossover:SmaCrossover").name == "SmaCrossover"


def test_nothing_of_the_users_stands_in_for_a_library(home: Path):
    (home / "colorsys.py").write_text("raise RuntimeError\n")
    write(f"import colorsys\n{MINE}")
    sys.modules.pop("colorsys", None)
    assert load_strategy("Mine").name == "Mine"


# --------------------------------------------------------------------------------------------------- what is refused


def test_an_unknown_name_with_those_that_exist():
    write(MINE)
    said = refused("Nine")
    assert said.startswith("strategy 'Nine' is unknown; accepted: SmaCrossover, ")
    assert said.endswith("Mine, or module:Class")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"{HEAD}\nclass Mine(Strategy)\n    pass\n", "strategies/mine.py:5: SyntaxError: expected ':'"),
        ("class Mine(Strategy):\n\x00", "strategies/mine.py:"),
        (f"import nothing_like_it\n{MINE}", "strategies/mine.py:1: ModuleNotFoundError: No module named"),
        (MINE.replace("Signals\n", "Signal_\n", 1), "strategies/mine.py:2: ImportError: cannot import name 'Signal_'"),
        (f"{MINE}\n1 / 0\n", "strategies/mine.py:13: ZeroDivisionError: division by zero"),
        (f"import sys\nsys.exit(3)\n{MINE}", "strategies/mine.py:2: SystemExit: 3"),
        (f"{HEAD}\nclass Mine(Strategy):\n    warmup = 1\n", "strategies/mine.py:5: Mine has no analyze; accepted: "),
        (f"{HEAD}\nclass Mine(Strategy):\n    pass\n", "strategies/mine.py:5: Mine has no analyze and no warmup"),
        (MINE.replace("(Strategy)", "(dict)"), "strategies/mine.py:5: Mine is no Strategy; accepted: a class that"),
        (f"{MINE}\n    def validate(self):\n        self.x / 0\n", "strategies/mine.py:14: AttributeError: "),
        (MINE.replace("param(3,", "param(30,"), "Mine.size was 30; accepted: a whole number from 1 to 9"),
    ],
)
def test_errors_name_the_users_own_file_and_line(text: str, said: str):
    write(text)
    assert refused().startswith(said)


def test_a_file_that_cannot_be_read_is_named_where_the_strategy_is_not_found_elsewhere():
    write("def broken(:\n", "broken.py")
    assert refused().startswith("strategies/broken.py:1: SyntaxError")
    write(MINE)
    assert load_strategy("Mine").name == "Mine"
    with pytest.raises(StrategyError, match=r"strategies/broken\.py:1"):
        find_all_strategies()


def test_two_of_one_name():
    write(MINE)
    write(MINE, "other.py")
    assert refused() == (
        "strategies/mine.py:5: Mine is defined again at strategies/other.py:5; accepted: each name once"
    )
    with pytest.raises(StrategyError, match="is defined again at"):
        find_all_strategies()


def test_a_shipped_name():
    write(MINE.replace("Mine", "SmaCrossover"))
    said = "strategies/mine.py:5: SmaCrossover is the name of a shipped strategy; accepted: any other name"
    assert refused("SmaCrossover") == said
    with pytest.raises(StrategyError, match="name of a shipped strategy"):
        find_all_strategies()


def test_a_shipped_name_in_a_module(home: Path):
    (home / "own_trend.py").write_text(MINE.replace("Mine", "SmaCrossover"))
    assert "own_trend: SmaCrossover is the name of a shipped strategy" in refused("own_trend:SmaCrossover")


def test_a_file_without_a_strategy_when_all_are_listed():
    write("X = 1\n")
    with pytest.raises(StrategyError, match=r"strategies/mine\.py:1: no class in it derives from Strategy"):
        find_all_strategies()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("own_nothing:Mine", "module 'own_nothing' of strategy 'own_nothing:Mine' was not found"),
        ("own_trend.deeper:Mine", "own_trend"),
        ("own_trend:Nine", "own_trend: Nine is no Strategy; accepted: "),
        ("own_trend:np", "own_trend: np is no Strategy"),
        ("own_trend:Strategy", "own_trend: Strategy is no Strategy"),
        (":Mine", "strategy ':Mine' is unknown; accepted: module:Class"),
        ("own trend:Mine", "strategy 'own trend:Mine' is unknown"),
        ("own_failing:Mine", "own_failing.py:1: ZeroDivisionError: division by zero"),
        ("own_broken:Mine", "own_broken.py:1: SyntaxError"),
    ],
)
def test_modules_that_cannot_be_used(name: str, said: str, home: Path):
    (home / "own_trend.py").write_text(MINE)
    (home / "own_failing.py").write_text("1 / 0\n")
    (home / "own_broken.py").write_text("def (\n")
    assert said in refused(name)


# ------------------------------------------------------------------------------------------------------- parameters


def test_parameters_are_read_by_their_type():
    assert read_values(SmaCrossover, ["fast=7", " slow = 40 "]) == {"fast": 7, "slow": 40}
    assert read_values(SHIPPED["RsiMeanReversion"], ["oversold=25"]) == {"oversold": 25.0}
    assert read_values(SmaCrossover, []) == {}


@pytest.mark.parametrize("text", ["fast", "=7", "quick=7", "", "fast=7=8", "fast=x", "fast=1.5", "fast=", "fast=nan"])
def test_assignments_that_are_none(text: str):
    with pytest.raises(StrategyError, match="; accepted"):
        read_values(SmaCrossover, [text])


def test_the_same_parameter_twice():
    with pytest.raises(StrategyError, match="'fast=8'; accepted, each once: fast=10, slow=30"):
        read_values(SmaCrossover, ["fast=7", "fast=8"])


def test_values_out_of_range_are_refused_when_it_is_made():
    with pytest.raises(StrategyError, match="fast was 1; accepted"):
        make(SmaCrossover, read_values(SmaCrossover, ["fast=1"]))
