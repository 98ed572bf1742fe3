from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.analysis.samples import DAY, HOUR, NEW_YEAR, days, equity_lists, scales, series

from vela.analysis.daily import daily_returns, day_ends, elapsed_days


def test_the_candle_that_starts_before_midnight_ends_the_day() -> None:
    times = np.array([NEW_YEAR, NEW_YEAR + DAY - 60_000, NEW_YEAR + DAY, NEW_YEAR + DAY + 60_000], dtype=np.int64)
    assert day_ends(times, series(100, 110, 500, 121)).tolist() == [110, 121]


def test_returns_lie_between_the_ends_of_days() -> None:
    assert daily_returns(days(3), series(100, 110, 99)) == pytest.approx([0.1, -0.1])


def test_a_day_without_candles_keeps_the_equity_before_it() -> None:
    times = np.array([NEW_YEAR, NEW_YEAR + 3 * DAY], dtype=np.int64)
    assert day_ends(times, series(100, 110)).tolist() == [100, 100, 100, 110]
    assert daily_returns(times, series(100, 110)) == pytest.approx([0.0, 0.0, 0.1])


@pytest.mark.parametrize("count", [0, 1, 24])
def test_within_one_day_there_is_no_return(count: int) -> None:
    assert daily_returns(days(count, HOUR), np.full(count, 100.0)).tolist() == []


@pytest.mark.parametrize(
    ("equity", "expected"),
    [((100, 50, 0, 0, 10), (-0.5, -1.0)), ((100, -50, 20), (-1.5,)), ((0, 10), ()), ((-5, 10, 20), ())],
)
def test_returns_end_with_ruin(equity: tuple[float, ...], expected: tuple[float, ...]) -> None:
    assert daily_returns(days(len(equity)), series(*equity)).tolist() == list(expected)


def test_a_year_of_minutes_has_365_days() -> None:
    assert elapsed_days(days(525_600, 60_000)) == 365.0


def test_elapsed_days_with_a_gap_and_without_a_length() -> None:
    assert elapsed_days(np.array([0, HOUR, 47 * HOUR], dtype=np.int64)) == 2.0
    assert elapsed_days(days(1)) == elapsed_days(days(0)) == 0.0


@given(st.lists(st.tuples(st.integers(1, 40), st.floats(0.01, 1e6)), min_size=1, max_size=60))
def test_day_ends_as_a_loop_finds_them(steps: list[tuple[int, float]]) -> None:
    time, by_day = NEW_YEAR, {}
    for hours, equity in steps:
        time += hours * HOUR
        by_day[time // DAY] = equity
    expected, newest = [], 0.0
    for day in range(min(by_day), max(by_day) + 1):
        newest = by_day.get(day, newest)
        expected.append(newest)
    times = NEW_YEAR + np.cumsum([hours for hours, _ in steps]) * HOUR
    assert day_ends(times, np.array([equity for _, equity in steps])).tolist() == expected


@given(equity_lists, scales)
def test_returns_do_not_depend_on_the_currency(equity: list[float], scale: float) -> None:
    values = np.array(equity)
    times = days(len(equity))
    assert daily_returns(times, values * scale) == pytest.approx(daily_returns(times, values), rel=1e-9, abs=1e-12)
