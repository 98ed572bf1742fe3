from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vela.domain.gaps import Gap, find_gaps

LENGTH = 10


def gaps(steps, *bounds) -> list[Gap]:
    return find_gaps(np.array(sorted(steps), np.int64) * LENGTH, LENGTH, *bounds)


def test_gaps_lie_between_the_candles_that_are_there() -> None:
    assert gaps([1, 2, 5, 6, 8]) == [Gap(30, 50, 2), Gap(70, 80, 1)]
    assert gaps([1, 2, 3]) == []


def test_what_is_asked_for_may_reach_further() -> None:
    assert gaps([2], 0, 50) == [Gap(0, 20, 2), Gap(30, 50, 2)]
    assert gaps([], 0, 30) == [Gap(0, 30, 3)]
    assert gaps([0, 9], 40, 60) == [Gap(40, 60, 2)]


def test_of_nothing_nothing_is_known() -> None:
    assert gaps([]) == []
    assert gaps([3], 50, 50) == []
    assert gaps([3], 90, 20) == []


def test_only_candles_that_open_inside_are_asked_for() -> None:
    assert gaps([], 1, 39) == [Gap(10, 40, 3)]


@given(st.sets(st.integers(0, 30), min_size=1), st.none() | st.integers(0, 300), st.none() | st.integers(0, 300))
def test_gaps_are_what_is_not_there(steps, start, end) -> None:
    first = min(steps) * LENGTH if start is None else start
    past = max(steps) * LENGTH + 1 if end is None else end
    wanted = {time for time in range(0, 400, LENGTH) if first <= time < past} - {step * LENGTH for step in steps}
    found = gaps(steps, start, end)
    assert {time for gap in found for time in range(gap.start, gap.end, LENGTH)} == wanted
    assert sum(gap.missing for gap in found) == len(wanted)
    assert all(one.end < other.start for one, other in pairwise(found))  # none touch
