from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vela.indicators.crossing import begins, crosses_above, crosses_below, snap

NAN = float("nan")
values = st.lists(st.tuples(*[st.sampled_from([1.0, 2.0, 3.0, NAN])] * 2), max_size=12)


@pytest.mark.parametrize(
    ("first", "second", "above", "below"),
    [
        ((1, 3), (2, 2), True, False),
        ((2, 3), (2, 2), True, False),
        ((1, 2), (2, 2), False, False),
        ((3, 3), (2, 2), False, False),
        ((3, 1), (2, 2), False, True),
        ((2, 1), (2, 2), False, True),
        ((3, 2), (2, 2), False, False),
        ((2, 2), (2, 2), False, False),
        ((2, 2), (3, 1), True, False),
        ((NAN, 3), (2, 2), False, False),
        ((1, NAN), (2, 2), False, False),
        ((1, 3), (NAN, 2), False, False),
        ((1, 3), (2, NAN), False, False),
        ((NAN, NAN), (NAN, NAN), False, False),
    ],
)
def test_two_rows(first, second, above: bool, below: bool):
    a, b = np.array(first, dtype=float), np.array(second, dtype=float)
    assert crosses_above(a, b).tolist() == [False, above]
    assert crosses_below(a, b).tolist() == [False, below]


@given(values)
def test_every_row_follows_the_rule(rows: list[tuple[float, float]]):
    a, b = (np.array([row[side] for row in rows], dtype=float) for side in (0, 1))
    above = [t > 0 and a[t] > b[t] and a[t - 1] <= b[t - 1] for t in range(len(rows))]
    below = [t > 0 and a[t] < b[t] and a[t - 1] >= b[t - 1] for t in range(len(rows))]
    assert crosses_above(a, b).tolist() == above
    assert crosses_below(a, b).tolist() == below


def test_touching_and_leaving_on_the_same_side_is_no_crossing_down_but_one_up():
    touching = np.array([3.0, 2.0, 3.0])
    level = np.full(3, 2.0)
    assert crosses_below(touching, level).tolist() == [False, False, False]
    assert crosses_above(touching, level).tolist() == [False, False, True]


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_rows_cross_nothing(count: int):
    crossed = crosses_above(np.ones(count), np.zeros(count))
    assert crossed.tolist() == [False] * count
    assert crossed.dtype == np.bool_


@pytest.mark.parametrize("price", [1e-5, 1.0, 60_000.0])
def test_what_differs_by_rounding_is_put_on_the_level_and_nothing_else(price: float):
    level = np.full(5, 0.25 * price)
    moved = level + price * np.array([0.0, 5e-13, -5e-13, 2e-12, -2e-12])
    assert (snap(moved, level, np.full(5, price)) == level).tolist() == [True, True, True, False, False]
    assert snap(moved, level, np.full(5, price))[3:].tolist() == moved[3:].tolist()


def test_undefined_values_stay_undefined():
    undefined, defined = np.array([NAN]), np.array([1.0])
    assert np.isnan(snap(undefined, defined, defined)).all()
    assert snap(defined, undefined, defined).tolist() == [1.0]


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=12))
def test_a_state_begins_once_and_only_after_it_was_known_not_to_hold(rows: list[tuple[bool, bool]]):
    known = [either for either, _ in rows]
    holds = [either and state for either, state in rows]
    begun = [t > 0 and holds[t] and known[t - 1] and not holds[t - 1] for t in range(len(rows))]
    assert begins(np.array(holds, dtype=np.bool_), np.array(known, dtype=np.bool_)).tolist() == begun
