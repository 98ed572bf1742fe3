from __future__ import annotations

import json

from vela.strategies.registry import SHIPPED


def test_strategies_are_listed_with_parameters_and_ranges_as_json(vela) -> None:
    answer = vela("strategies", "--json")
    assert (answer.code, answer.err) == (0, "")
    listed = {entry["name"]: entry for entry in json.loads(answer.out)}
    assert set(listed) == set(SHIPPED)
    assert listed["SmaCrossover"]["parameters"]["fast"] == {"default": 10, "low": 5, "high": 50}
    assert listed["SmaCrossover"]["suits"] == ["bear_trend", "bull_trend"]
    assert listed["SmaCrossover"]["what"].startswith("Buy when the fast average")


def test_people_get_a_table(vela) -> None:
    answer = vela("strategies")
    assert (answer.code, answer.err) == (0, "")
    assert "SmaCrossover" in answer.out
    assert "fast 10" in " ".join(answer.out.split())


def test_the_users_own_are_listed_after_the_shipped_ones(vela) -> None:
    vela("new-strategy", "MyBreakout")
    listed = json.loads(vela("strategies", "--json").out)
    assert [entry["name"] for entry in listed] == [*SHIPPED, "MyBreakout"]
    assert [entry["shipped"] for entry in listed] == [True] * len(SHIPPED) + [False]
    assert listed[-1]["what"].startswith("Buy when the close rises above the highs")
    assert listed[-1]["parameters"]["entry"] == {"default": 20, "low": 5, "high": 100}


def test_a_file_that_cannot_be_used_is_named(refuses, tmp_path) -> None:
    (tmp_path / "strategies").mkdir()
    (tmp_path / "strategies" / "own.py").write_text("import numpy\nx = = 1\n")
    assert refuses("strategies").startswith("vela: strategies/own.py:2: SyntaxError: invalid syntax")


def test_those_made_for_a_regime_can_be_asked_for(vela) -> None:
    names = {entry["name"] for entry in json.loads(vela("strategies", "--regime", "Sideways_Range", "--json").out)}
    assert "RsiMeanReversion" in names
    assert "SmaCrossover" not in names


def test_an_unknown_regime_is_refused(refuses) -> None:
    assert refuses("strategies", "--regime", "sunny").startswith(
        "vela: regime was 'sunny'; accepted: bull_trend, bear_trend,"
    )
