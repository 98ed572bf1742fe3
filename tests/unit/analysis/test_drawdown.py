from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.analysis.samples import DAY, NEW_YEAR, days, equity_lists, scales, series

from vela.analysis.drawdown import Drawdown, drawdown_curve, max_drawdown_days, max_drawdown_pct, worst_drawdowns

# Two stays below the peak: 100 → 80 → 100 in 3 days, 120 → 90 and not back for 2 days.
EQUITY = series(100, 90, 80, 100, 120, 90, 114)
wild_lists = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60)


def by_loop(equity: list[float]) -> tuple[float, int]:
    peak, peak_index = equity[0], 0
    deepest, longest = 0.0, 0
    for index, value in enumerate(equity):
        if value >= peak:
            if peak > 0 and index - peak_index > 1:
                longest = max(longest, index - peak_index)
            peak, peak_index = value, index
        elif peak > 0:
            deepest = max(deepest, 100.0 * (min(peak - value, peak) / peak))
            longest = max(longest, index - peak_index)
    return deepest, longest


def test_the_curve_by_hand() -> None:
    assert drawdown_curve(EQUITY) == pytest.approx([0, 10, 20, 0, 0, 25, 5])


def test_depth_and_length_by_hand() -> None:
    assert max_drawdown_pct(EQUITY) == 25.0
    assert max_drawdown_days(days(7), EQUITY) == 3.0  # the longest one, not the deepest


def test_the_worst_by_hand() -> None:
    assert worst_drawdowns(days(7), EQUITY) == (
        Drawdown(NEW_YEAR + 4 * DAY, NEW_YEAR + 5 * DAY, None, 25.0, 2.0),
        Drawdown(NEW_YEAR, NEW_YEAR + 2 * DAY, NEW_YEAR + 3 * DAY, 20.0, 3.0),
    )


def test_the_last_candle_at_the_peak_begins_it() -> None:
    (only,) = worst_drawdowns(days(5), series(100, 100, 50, 50, 100))
    assert (only.peak_time, only.trough_time, only.recovery_time) == tuple(NEW_YEAR + day * DAY for day in (1, 2, 4))


def test_only_the_worst_five_the_earlier_first_among_equals() -> None:
    equity = series(*(value for depth in (10, 30, 20, 10, 40, 50, 10) for value in (100, 100 - depth)))
    worst = worst_drawdowns(days(14), equity)
    assert [round(one.depth_pct) for one in worst] == [50, 40, 30, 20, 10]
    assert worst[-1].peak_time == NEW_YEAR
    assert len(worst_drawdowns(days(14), equity, count=2)) == 2


@pytest.mark.parametrize("equity", [series(), series(100), series(100, 100, 100), series(1, 2, 2, 3)])
def test_a_curve_that_never_falls_has_none(equity) -> None:
    times = days(len(equity))
    assert max_drawdown_pct(equity) == max_drawdown_days(times, equity) == 0.0
    assert worst_drawdowns(times, equity) == ()


def test_zero_and_below_is_all_of_it() -> None:
    assert drawdown_curve(series(100, 0, -50, 100)).tolist() == [0, 100, 100, 0]


def test_an_account_that_starts_with_nothing_has_nothing_to_lose() -> None:
    assert drawdown_curve(series(-10, -20, 0, -5, 10, 5)).tolist() == [0, 0, 0, 0, 0, 50]


@given(wild_lists)
def test_within_0_and_100_and_as_a_loop_finds_it(equity: list[float]) -> None:
    values, times = np.array(equity), days(len(equity))
    curve = drawdown_curve(values)
    depth, length = by_loop(equity)
    assert curve.shape == values.shape
    assert 0.0 <= curve.min() <= curve.max() <= 100.0
    assert max_drawdown_pct(values) == depth
    assert max_drawdown_days(times, values) == length


@given(wild_lists)
def test_the_list_agrees_with_the_figures(equity: list[float]) -> None:
    values, times = np.array(equity), days(len(equity))
    stays = worst_drawdowns(times, values, count=len(equity))
    assert max((one.depth_pct for one in stays), default=0.0) == max_drawdown_pct(values)
    assert max((one.days for one in stays), default=0.0) == max_drawdown_days(times, values)
    assert sum(one.recovery_time is None for one in stays) <= 1
    for one in stays:
        peak, trough = (int((time - NEW_YEAR) // DAY) for time in (one.peak_time, one.trough_time))
        lost = min(equity[peak] - equity[trough], equity[peak])
        assert one.depth_pct == 100.0 * (lost / equity[peak])


@given(equity_lists, scales)
def test_the_size_of_the_account_does_not_matter(equity: list[float], scale: float) -> None:
    values = np.array(equity)
    assert max_drawdown_pct(values * scale) == pytest.approx(max_drawdown_pct(values), rel=1e-9, abs=1e-9)
