from __future__ import annotations

import json
from pathlib import Path


def test_what_is_written_can_be_listed_checked_and_traded(vela, tmp_path: Path) -> None:
    answer = vela("new-strategy", "MyBreakout")
    assert (answer.code, answer.err) == (0, "")
    assert "Written: strategies/my_breakout.py and tests/test_my_breakout.py" in answer.out
    assert "MyBreakout" in vela("strategies").out
    assert vela("check", "MyBreakout").code == 0
    answer = vela(
        *("up", "--strategy", "MyBreakout", "--candles", "300", "--speed", "max", "--until-end", "--no-page", "--json")
    )
    assert answer.code == 0, answer.err
    summary = json.loads(answer.out)
    assert summary["trades"] > 0
    assert summary["decisions"] == 8 * 300


def test_json_names_the_files(vela) -> None:
    assert json.loads(vela("new-strategy", "MyBreakout", "--json").out) == {
        "name": "MyBreakout",
        "strategy": "strategies/my_breakout.py",
        "test": "tests/test_my_breakout.py",
    }


def test_nothing_is_written_over(vela, refuses) -> None:
    vela("new-strategy", "MyBreakout")
    assert "strategies/my_breakout.py is there already; accepted: another name" in refuses("new-strategy", "MyBreakout")


def test_names_that_cannot_be_used(refuses, tmp_path: Path) -> None:
    assert "strategy name was 'my_breakout'; accepted: letters and digits" in refuses("new-strategy", "my_breakout")
    assert "SmaCrossover is the name of a shipped strategy" in refuses("new-strategy", "SmaCrossover")
    assert list(tmp_path.iterdir()) == []
