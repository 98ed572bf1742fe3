"""Live trading is killed where it hurts, on a venue of its own, and neither loses nor doubles anything."""

from __future__ import annotations

import itertools
import random
from collections import defaultdict
from pathlib import Path

import pytest
from tests.faults.scenario import FILLS, OUTCOMES, POINTS, Scenario
from tests.faults.wire_kills import Plan, live, plans

SEED = 20
RANDOM_KILLS = 30


def selection() -> list[Scenario]:
    """Every point with every outcome, the moves of the market in turn, and kills at random moments."""
    dice = random.Random(SEED)  # noqa: S311  no secrets
    chosen = [
        Scenario.at(
            point,
            outcome,
            FILLS[(first + turn) % len(FILLS)],
            dice,
            by_term=dice.random() < 0.1,
            again=dice.random() < 0.1,
        )
        for (turn, outcome), (first, point) in itertools.product(enumerate(OUTCOMES), enumerate(POINTS))
    ]
    return chosen + [
        Scenario.somewhere(OUTCOMES[index % 3], FILLS[index % 4], dice.uniform(0.5, 5.0))
        for index in range(RANDOM_KILLS)
    ]


LIVES = plans(selection(), SEED, per_life=11)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("plan", LIVES, ids=lambda plan: f"{plan.number}-{plan.exits}")
def test_an_account_lives_through_its_kills(tmp_path: Path, plan: Plan) -> None:
    result = live(plan, tmp_path)
    assert result.breaches == []
    assert result.kills.total() >= len(plan.scenarios)


def test_every_point_is_met_in_more_than_one_way() -> None:
    met: defaultdict[str, set[str]] = defaultdict(set)
    scenarios = [scenario for plan in LIVES for scenario in plan.scenarios]
    for scenario in scenarios:
        met[scenario.point].add(scenario.outcome)
    assert all(met[point] == set(OUTCOMES) for point in POINTS)
    assert len(scenarios) > 100
    assert {scenario.by_term for scenario in scenarios} == {scenario.again for scenario in scenarios} == {True, False}
