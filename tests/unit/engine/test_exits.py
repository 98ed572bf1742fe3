from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vela.domain.execution_rules import PPM
from vela.engine.exits import (
    break_even_level,
    gain_reached,
    level_above,
    level_below,
    lowest_exit,
    steps_at_target,
    stop_level,
    target_level,
    tighter,
    trailing_level,
)

ticks = st.integers(1, 10**14)
distances = st.integers(0, PPM)
sides = st.booleans()


@given(ticks, distances)
def test_a_level_below_is_rounded_down_to_the_tick(price: int, distance: int):
    true = Fraction(price) * (PPM - distance) / PPM
    level = level_below(price, distance)
    assert level == max(1, true.numerator // true.denominator)
    assert 1 <= level <= price


@given(ticks, distances)
def test_a_level_above_is_rounded_up_to_the_tick(price: int, distance: int):
    true = Fraction(price) * (PPM + distance) / PPM
    level = level_above(price, distance)
    assert 0 <= level - true < 1
    assert level >= price


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        (stop_level(10_001, 20_000, True), 9_800),  # 9800.98
        (target_level(10_001, 20_000, True), 10_202),  # 10201.02
        (stop_level(10_001, 20_000, False), 10_202),
        (target_level(10_001, 20_000, False), 9_800),
        (stop_level(10_000, 20_000, True), 9_800),
        (target_level(10_000, 20_000, True), 10_200),
        (stop_level(10_000, 0, True), 10_000),
        (stop_level(1, 20_000, True), 1),
        (stop_level(100, PPM, True), 1),
    ],
)
def test_levels_by_hand(level: int, expected: int):
    assert level == expected


@given(ticks, distances)
def test_a_longs_levels_are_a_shorts_the_other_way_round(entry: int, distance: int):
    assert stop_level(entry, distance, True) == target_level(entry, distance, False)
    assert target_level(entry, distance, True) == stop_level(entry, distance, False)
    assert stop_level(entry, distance, True) <= entry <= target_level(entry, distance, True)


@given(ticks, ticks, sides)
def test_tighter_is_nearer_to_the_market(first: int, second: int, is_long: bool):
    assert tighter(first, second, is_long) == (first > second if is_long else first < second)
    assert not tighter(first, first, is_long)


@pytest.mark.parametrize(
    ("best", "is_long", "reached"),
    [
        (10_099, True, False),
        (10_100, True, True),
        (10_101, True, True),
        (9_901, False, False),
        (9_900, False, True),
        (9_899, False, True),
    ],
)
def test_thresholds_are_exact_at_their_boundary(best: int, is_long: bool, reached: bool):
    assert gain_reached(10_000, best, 10_000, is_long) is reached
    assert break_even_level(10_000, best, 10_000, is_long) == (10_000 if reached else 0)
    assert (trailing_level(10_000, best, 5_000, 10_000, is_long) > 0) is reached


def test_a_threshold_between_two_ticks_is_reached_at_the_farther_one():
    # 1 % of 10,050 ticks are 100.5.
    assert not gain_reached(10_050, 10_150, 10_000, True)
    assert gain_reached(10_050, 10_151, 10_000, True)
    assert not gain_reached(10_050, 9_950, 10_000, False)
    assert gain_reached(10_050, 9_949, 10_000, False)


@given(ticks, ticks, distances, sides)
def test_gains_are_compared_exactly(entry: int, best: int, gain: int, is_long: bool):
    favourable = best - entry if is_long else entry - best
    assert gain_reached(entry, best, gain, is_long) == (Fraction(favourable, entry) >= Fraction(gain, PPM))


def test_rules_that_are_off_have_no_level():
    assert trailing_level(10_000, 20_000, 0, 0, True) == 0
    assert break_even_level(10_000, 20_000, 0, True) == 0


@pytest.mark.parametrize(("is_long", "level"), [(True, 9_950), (False, 10_050)])
def test_without_a_threshold_trailing_stands_from_the_entry_on(is_long: bool, level: int):
    assert trailing_level(10_000, 10_000, 5_000, 0, is_long) == level


@given(ticks, st.lists(ticks, min_size=1), st.integers(1, PPM), distances, sides)
def test_a_trailing_stop_never_loosens(entry: int, prices: list[int], trailing: int, after: int, is_long: bool):
    best = stop = 0
    for price in [entry, *prices]:
        best = price if not best else (max if is_long else min)(best, price)
        level = trailing_level(entry, best, trailing, after, is_long)
        assert level or not stop
        assert not stop or not tighter(stop, level, is_long)
        assert not level or not tighter(level, best, is_long)
        stop = level


@pytest.mark.parametrize(
    ("steps", "part", "min_steps", "min_value", "expected"),
    [
        (1_000, 333_333, 0, 0, 333),
        (1_000, PPM, 0, 0, 1_000),
        (1, 500_000, 0, 0, 1),  # half of one step is none
        (1_000, 999_999, 0, 0, 999),
        (1_000, 500_000, 500, 0, 500),
        (1_000, 500_000, 501, 0, 1_000),
        (1_000, 600_000, 500, 0, 1_000),  # the rest would be too small
        (1_000, 500_000, 0, 45_000, 500),  # 500 at 100 and at 90
        (1_000, 500_000, 0, 45_001, 1_000),
        (1_000, 100_000, 0, 9_000, 100),  # at 90, behind its own stop
        (1_000, 100_000, 0, 9_001, 1_000),
    ],
)
def test_what_a_target_closes_by_hand(steps, part, min_steps, min_value, expected):
    assert steps_at_target(steps, part, min_steps, min_value, 100, 90) == expected


@given(st.integers(1, 10**15), st.integers(1, PPM), st.integers(0, 10**6), st.integers(0, 10**17), ticks, ticks)
def test_what_a_target_closes_and_leaves_can_both_be_traded(steps, part, min_steps, min_value, target, rest):
    closed = steps_at_target(steps, part, min_steps, min_value, target, rest)
    assert 1 <= closed <= steps
    if closed < steps:
        assert closed == steps * part // PPM
        assert min(closed, steps - closed) >= max(1, min_steps)
        assert closed * target >= min_value
        assert (steps - closed) * rest >= min_value


@pytest.mark.parametrize(
    ("stop_loss", "trailing", "is_long", "expected"),
    [
        (0, 0, True, 1000),
        (50_000, 0, True, 950),
        (0, 20_000, True, 980),
        (50_000, 20_000, True, 950),
        (50_000, 0, False, 1000),
    ],
)
def test_the_lowest_exit_is_the_stops_or_the_entrys_own(stop_loss, trailing, is_long, expected):
    assert lowest_exit(1000, stop_loss, trailing, is_long) == expected
