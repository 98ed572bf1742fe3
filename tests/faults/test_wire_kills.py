"""Live trading is killed where it hurts, on a venue of its own, and neither loses nor doubles anything."""

from __future__ import annotations

import itertools
import random
from collections import defaultdict
from pathlib import Path

import pytest
from rich.console import Console
from tests.faults.scenario import FILLS, OUTCOMES, POINTS, Scenario
from tests.faults.wire_kills import Plan, plans, run

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
@pytest.mark.parametrize("begun", [LIVES[::2], LIVES[1::2]], ids=["even", "odd"])
def test_accounts_live_through_their_kills(tmp_path: Path, begun: list[Plan]) -> None:
    # Side by side: most of a life is waiting for its market's seconds.
    result = run(begun, tmp_path, jobs=len(begun), console=Console(stderr=True))
    assert result.breaches == []
    assert result.kills.total() >= sum(len(plan.scenarios) for plan in begun)


def test_every_point_is_met_in_more_than_one_way() -> None:
    met: defaultdict[str, set[str]] = defaultdict(set)
    scenarios = [scenario for plan in LIVES for scenario in plan.scenarios]
    for scenario in scenarios:
        met[scenario.point].add(scenario.outcome)
    assert all(met[point] == set(OUTCOMES) for point in POINTS)
    assert len(scenarios) > 100
    assert {scenario.by_term for scenario in scenarios} == {scenario.again for scenario in scenarios} == {True, False}
