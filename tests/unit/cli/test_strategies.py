from __future__ import annotations

import json

from vela.strategies.registry import SHIPPED


def test_strategies_are_listed_with_parameters_and_ranges_as_json(vela) -> None:
    answer = vela("strategies", "--json")
    assert (answer.code, answer.err) == (0, "")
    listed = {entry["name"]: entry for entry in json.loads(answer.out)}
    assert set(listed) == set(SHIPPED)
    assert listed["SmaCrossover"]["parameters"]["fast"] == {"default": 10, "low": 5, "high": 50}
    assert listed["SmaCrossover"]["what"].startswith("Buy when the fast average")


def test_people_get_a_table(vela) -> None:
    answer = vela("strategies")
    assert (answer.code, answer.err) == (0, "")
    assert "SmaCrossover" in answer.out
    assert "fast 10" in " ".join(answer.out.split())
