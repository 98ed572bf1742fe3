from __future__ import annotations

from itertools import groupby

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.analysis.samples import series

from vela.analysis.streaks import Streaks, streaks


@pytest.mark.parametrize(
    ("pnl", "expected"),
    [
        ((), Streaks(0, 0, 0)),
        ((5,), Streaks(1, 0, 1)),
        ((-5,), Streaks(0, 1, -1)),
        ((0,), Streaks(0, 0, 0)),
        ((1, 2, -1, -1, -1, 3), Streaks(2, 3, 1)),
        ((1, 1, 0, 1, -2, -3), Streaks(2, 2, -2)),
        ((1, 1, 1, 0), Streaks(3, 0, 0)),
    ],
)
def test_by_hand(pnl: tuple[float, ...], expected: Streaks) -> None:
    assert streaks(series(*pnl)) == expected


@given(st.lists(st.sampled_from([-1.5, 0.0, 2.5]), min_size=1, max_size=60))
def test_as_groups_of_equal_outcome(pnl: list[float]) -> None:
    runs = [(sign, len(list(group))) for sign, group in groupby(pnl, key=lambda p: (p > 0) - (p < 0))]
    longest = {sign: max((length for s, length in runs if s == sign), default=0) for sign in (1, -1)}
    assert streaks(np.array(pnl)) == Streaks(longest[1], longest[-1], runs[-1][0] * runs[-1][1])
