from __future__ import annotations

from typing import Any

import pytest

from vela.engine.gate import (
    BALANCE,
    COOLDOWN,
    MAX_POSITIONS,
    MIN_NOTIONAL,
    NEVER,
    PASSED,
    POSITION_OPEN,
    REGIME,
    entry_refusal,
)

GOOD: dict[str, Any] = {
    "is_held": False,
    "suits_regime": True,
    "since_entry_ms": 600_000,
    "cooldown_ms": 600_000,
    "open_positions": 1,
    "max_positions": 2,
    "is_orderable": True,
    "is_penniless": False,
    "is_affordable": True,
}
# In the order in which they are looked at.
OBSTACLES: list[tuple[dict[str, Any], int]] = [
    ({"is_held": True}, POSITION_OPEN),
    ({"suits_regime": False}, REGIME),
    ({"since_entry_ms": 599_999}, COOLDOWN),
    ({"open_positions": 2}, MAX_POSITIONS),
    ({"is_orderable": False}, MIN_NOTIONAL),
    ({"is_affordable": False}, BALANCE),
]


def test_nothing_against_it_passes() -> None:
    assert entry_refusal(**GOOD) == PASSED
    assert entry_refusal(**{**GOOD, "since_entry_ms": 1_700_000_000_000 - NEVER}) == PASSED


@pytest.mark.parametrize(("obstacle", "expected"), OBSTACLES)
def test_each_obstacle_alone(obstacle: dict[str, Any], expected: int) -> None:
    assert entry_refusal(**{**GOOD, **obstacle}) == expected


def test_the_first_obstacle_in_order_is_named() -> None:
    for index, (_, expected) in enumerate(OBSTACLES):
        everything_from_here = {key: value for more, _ in OBSTACLES[index:] for key, value in more.items()}
        assert entry_refusal(**{**GOOD, **everything_from_here}) == expected


def test_too_small_for_lack_of_money_is_a_matter_of_balance() -> None:
    assert entry_refusal(**{**GOOD, "is_orderable": False, "is_penniless": True}) == BALANCE
