from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.fakes import write_recording

OWN = """\
import numpy as np
from vela.domain.signal import Signals
from vela.strategies.base import Strategy


class Own(Strategy):
    warmup = 2

    def analyze(self, symbol, candles):
        other = np.roll(candles.close, SHIFT)
        SPECIAL
        return Signals(candles.close > other, candles.close < other)
"""


@pytest.fixture
def own(tmp_path: Path):
    """Write a strategy that compares with the candle before (1) or after (-1)."""

    def write(shift: int, special: str = "other[:1] = np.nan") -> None:
        (tmp_path / "strategies").mkdir(exist_ok=True)
        text = OWN.replace("SHIFT", str(shift)).replace("SPECIAL", special)
        (tmp_path / "strategies" / "own.py").write_text(text)

    return write


def test_a_shipped_strategy_is_clean(vela) -> None:
    answer = vela("check", "SmaCrossover", "--set", "fast=5", "--set", "slow=20")
    assert (answer.code, answer.err) == (0, "")
    assert "SmaCrossover fast=5, slow=20 on 10,000 candles of BTC (synthetic market, seed 12)" in answer.out
    assert answer.out.count("  ok  ") == 5
    assert "Warm-up: 21 candles declared, 21 measured" in answer.out


def test_json_holds_the_report_alone(vela) -> None:
    answer = vela("check", "SmaCrossover", "--json")
    assert (answer.code, answer.err) == (0, "")
    report = json.loads(answer.out)
    assert report["ok"] is True
    assert report["findings"] == []
    assert report["checked"] == ["shape", "purity", "undefined", "look_ahead", "start"]
    assert (report["symbol"], report["candles"], report["parameters"]) == ("BTC", 10_000, {"fast": 10, "slow": 30})


def test_a_users_own_strategy_that_is_clean(own, vela) -> None:
    own(1)
    answer = vela("check", "Own")
    assert (answer.code, answer.err) == (0, "")


def test_findings_have_row_and_time_and_exit_1(own, vela) -> None:
    own(-1)
    answer = vela("check", "Own")
    assert (answer.code, answer.err) == (1, "")
    assert "uses the future" in answer.out
    assert " UTC)" in answer.out
    found = json.loads(vela("check", "Own", "--json").out)
    assert found["ok"] is False
    first = found["findings"][0]
    assert first["check"] == "look_ahead"
    assert first["severity"] == "error"
    assert first["time"] == 1_735_689_600_000 + first["row"] * 60_000


def test_on_recorded_candles(tmp_path: Path, own, vela) -> None:
    write_recording(tmp_path / "ETHUSDT_1m.parquet", 1_500)
    own(1)
    answer = vela("check", "Own", "--candles", "ETHUSDT_1m.parquet")
    assert answer.code == 0
    assert "on 1,500 candles of ETH (ETHUSDT_1m.parquet)" in answer.out
    answer = vela("check", "SmaCrossover", "--candles", "ETHUSDT_1m.parquet", "--symbol", "SOL", "--json")
    assert json.loads(answer.out)["symbol"] == "SOL"


def test_skipped_checks_are_shown_as_such(own, vela) -> None:
    own(1, "self.n = getattr(self, 'n', 0) + 1; other *= 1 + self.n / 1000")
    answer = vela("check", "Own")
    assert answer.code == 1
    assert answer.out.count("skipped") == 3


def test_few_candles_are_a_warning(tmp_path: Path, vela) -> None:
    write_recording(tmp_path / "ETHUSDT_1m.parquet", 40)
    answer = vela("check", "SmaCrossover", "--candles", "ETHUSDT_1m.parquet")
    assert answer.code == 0
    assert "warning" in answer.out
    assert "There was no signal on these candles: little is proven." in answer.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["Foo"], "strategy 'Foo' is unknown; accepted: "),
        (["SmaCrossover", "--set", "quick=3"], "parameter was 'quick=3'; accepted, each once: fast=10, slow=30"),
        (["SmaCrossover", "--set", "fast=40"], "accepted: fast below slow"),
        (["SmaCrossover", "--candles", "none.parquet"], "candle file 'none.parquet' does not exist"),
        (["SmaCrossover", "--symbol", "??"], "'??' is no trading symbol"),
        (["nothing_there:Foo"], "module 'nothing_there' of strategy 'nothing_there:Foo' was not found"),
    ],
)
def test_what_is_refused(arguments: list[str], said: str, refuses) -> None:
    assert said in refuses("check", *arguments)


def test_a_strategy_that_fails_is_refused_with_file_and_line(own, refuses) -> None:
    own(1, "other = undefined_name")
    assert refuses("check", "Own").startswith("vela: strategies/own.py:11: NameError: name 'undefined_name'")
    said = refuses("up", "--strategy", "Own", "--no-page", "--candles", "3", "--until-end")
    assert said.startswith("vela: strategies/own.py:11: NameError")


def test_what_is_biased_may_not_trade(own, refuses, tmp_path: Path) -> None:
    own(-1)
    said = refuses("up", "--strategy", "Own", "--no-page", "--candles", "3", "--until-end")
    assert said.startswith("vela: Own may not trade: look-ahead: ")
    assert not (tmp_path / "vela-data").exists()


def test_a_shadow_of_a_shipped_strategy_is_refused_by_every_command(own, refuses, tmp_path: Path) -> None:
    own(1)
    path = tmp_path / "strategies" / "own.py"
    path.write_text(path.read_text().replace("class Own", "class SmaCrossover"))
    for arguments in (["up"], ["check", "SmaCrossover"], ["strategies"]):
        assert "strategies/own.py:6: SmaCrossover is the name of a shipped strategy" in refuses(*arguments)
