from __future__ import annotations

import math
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders import MINUTE, candle, random_walk

from vela.domain.candles import Candle, Candles, CandleSequence
from vela.domain.checked_candles import all_usable, check_candles, check_collected

times = st.one_of(
    st.integers(0, 6).map(lambda step: step * MINUTE), st.integers(-(2**63), 2**63 - 1), st.just(MINUTE + 1)
)
prices = st.sampled_from([1.0, 2.0, 3.0, 0.0, -1.0, 5e-324, math.nan, math.inf, -math.inf])
volumes = st.sampled_from([0.0, 1.0, -1.0, -0.0, math.nan, math.inf])
sensible = st.builds(
    lambda step, one, two, up, down, volume: Candle(
        step * MINUTE, one, max(one, two) + up, min(one, two) * down, two, volume
    ),
    st.integers(0, 40),
    st.floats(1.0, 100.0),
    st.floats(1.0, 100.0),
    st.sampled_from([0.0, 0.5]),
    st.sampled_from([1.0, 0.5]),
    st.floats(0.0, 10.0),
)
wild = st.builds(Candle, times, prices, prices, prices, prices, volumes)
ascending = st.lists(sensible, max_size=20, unique_by=lambda row: row.open_time).map(
    lambda rows: sorted(rows, key=lambda row: row.open_time)
)
some_rows = st.one_of(
    ascending,
    st.lists(sensible, max_size=6),
    st.lists(wild, max_size=4),
    st.tuples(ascending, wild, st.integers(0, 20)).map(lambda t: [*t[0][: t[2]], t[1], *t[0][t[2] :]]),
)


def refused(rows: list[Candle]) -> int:
    sequence = CandleSequence(MINUTE)
    count = 0
    for row in rows:
        if sequence.fault(row, 2**64) is None:
            sequence.take(row)
        else:
            count += 1
    return count


@given(some_rows)
def test_the_fast_test_says_yes_exactly_when_no_row_is_refused(rows: list[Candle]) -> None:
    assert all_usable(Candles.from_rows(rows), MINUTE) == (refused(rows) == 0)


@given(some_rows)
def test_every_row_is_either_used_or_counted(rows: list[Candle]) -> None:
    checked = check_candles(Candles.from_rows(rows), MINUTE)
    assert checked.rows == len(rows)
    assert sum(checked.faults.values()) == refused(rows)
    assert len(checked.candles) + refused(rows) == len(rows)
    assert all_usable(checked.candles, MINUTE)
    assert checked.missing >= 0


@pytest.mark.parametrize(
    ("rows", "faults"),
    [
        ([candle(0), candle(0)], {"duplicate": 1}),
        ([candle(0), candle(0, 2.0)], {"revised": 1}),
        ([candle(MINUTE), candle(0)], {"out_of_order": 1}),
        ([candle(0), candle(1)], {"off_grid": 1}),
        ([candle(0, math.nan)], {"not_finite": 1}),
        ([candle(0, -1.0), candle(0, 0.0)], {"not_positive": 2}),
        ([candle(0, 5.0, high=4.0)], {"inconsistent": 1}),
    ],
)
def test_faults_are_counted_by_kind(rows: list[Candle], faults: dict[str, int]) -> None:
    assert check_candles(Candles.from_rows(rows), MINUTE).faults == faults


def test_missing_candles_are_counted_between_those_that_are_used() -> None:
    rows = [candle(0), candle(3 * MINUTE), candle(4 * MINUTE, math.nan), candle(6 * MINUTE)]
    assert check_candles(Candles.from_rows(rows), MINUTE).missing == 4


def test_nothing_is_copied_and_no_time_is_lost_on_good_candles() -> None:
    candles = random_walk(100_000, 1)
    began = time.perf_counter()
    checked = check_candles(candles, MINUTE)
    assert time.perf_counter() - began < 0.5
    assert checked.candles is candles
    assert (checked.faults, checked.missing) == ({}, 0)


def test_no_rows_are_no_fault() -> None:
    empty = Candles.from_columns(np.array([], dtype=np.int64), *[np.array([])] * 5)
    assert check_candles(empty, MINUTE).missing == 0


def test_the_first_row_of_every_fault_is_known():
    rows = [candle(MINUTE, 1.0), candle(MINUTE + 1, 1.0), candle(MINUTE, math.nan), candle(0, 1.0), candle(0, math.nan)]
    first_rows = check_candles(Candles.from_rows(rows), MINUTE).first_rows
    assert first_rows == {"off_grid": 1, "not_finite": 2, "out_of_order": 3}


def test_collected_candles_may_come_in_any_order_and_the_first_of_a_time_counts():
    rows = [candle(3 * MINUTE, 4.0), candle(MINUTE, 2.0), candle(0, 1.0), candle(MINUTE, 9.0), candle(0, 1.0)]
    checked = check_collected(Candles.from_rows(rows), MINUTE, 4 * MINUTE)
    assert checked.candles.rows() == [rows[2], rows[1], rows[0]]
    assert checked.faults == {"duplicate": 1, "revised": 1}
    assert checked.first_rows == {"duplicate": 4, "revised": 3}
    assert (checked.rows, checked.missing) == (5, 1)


def test_a_collected_candle_that_is_not_closed_is_left_out():
    rows = [candle(2 * MINUTE, 3.0), candle(MINUTE, 2.0), candle(0, 1.0)]
    checked = check_collected(Candles.from_rows(rows), MINUTE, 2 * MINUTE)
    assert checked.candles.rows() == [rows[2], rows[1]]
    assert (checked.faults, checked.first_rows) == ({"not_closed": 1}, {"not_closed": 0})


@given(st.lists(st.one_of(sensible, wild), max_size=12), st.integers(0, 40))
def test_what_is_kept_of_collected_candles_passes_every_check(rows, minutes):
    candles = Candles.from_rows(rows)
    checked = check_collected(candles, MINUTE, minutes * MINUTE)
    assert all_usable(checked.candles, MINUTE)
    assert all(row.open_time + MINUTE <= minutes * MINUTE for row in checked.candles.rows())
    assert len(checked.candles) + sum(checked.faults.values()) == len(rows)
    assert checked.faults.keys() == checked.first_rows.keys()
