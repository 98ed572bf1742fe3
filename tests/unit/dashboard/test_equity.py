from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from vela.dashboard.equity import EquityCurve


def test_few_points_stay_as_they_are():
    curve = EquityCurve(100, 60_000)
    for minute in range(5):
        curve.add(minute * 60_000, 1000.0 + minute)
    assert curve.points() == [(minute * 60_000, 1000.0 + minute) for minute in range(5)]


def test_an_older_point_is_ignored_and_the_newest_of_one_moment_counts():
    curve = EquityCurve(100, 60_000)
    curve.add(60_000, 1.0)
    curve.add(0, 5.0)
    curve.add(60_000, 2.0)
    assert curve.points() == [(60_000, 2.0)]


@given(
    st.lists(st.tuples(st.integers(0, 10_000_000), st.floats(1, 1e6)), min_size=1, max_size=400),
    st.integers(4, 60),
)
def test_bounds_extremes_and_both_ends_hold(steps, limit):
    curve, points, time = EquityCurve(limit, 60_000), [], 0
    for gap, equity in steps:
        time += gap + 1
        curve.add(time, equity)
        points.append((time, equity))
    kept = curve.points()
    assert len(kept) <= limit
    assert kept == sorted(kept, key=lambda point: point[0])
    assert kept[0] == points[0]
    assert kept[-1] == points[-1]
    assert set(kept) <= set(points)
    values = [equity for _, equity in points]
    assert min(equity for _, equity in kept) == min(values)
    assert max(equity for _, equity in kept) == max(values)


def test_a_year_of_minutes_is_as_fine_at_its_beginning_as_at_its_end():
    curve = EquityCurve(2000, 60_000)
    for minute in range(525_600):
        curve.add(minute * 60_000, float(minute % 1000))
    times = [time for time, _ in curve.points()]
    assert 900 < len(times) <= 2000
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert max(gaps) <= 3 * 1024 * 60_000
