from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vela.indicators.crossing import crosses_above, crosses_below

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
