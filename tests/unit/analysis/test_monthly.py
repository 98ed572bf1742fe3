from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.analysis.samples import DAY, NEW_YEAR, days, series

from vela.analysis.monthly import MonthlyReturn, monthly_returns
from vela.analysis.total_return import total_return_pct


def test_by_hand() -> None:
    times = NEW_YEAR + np.array([-1, 0, 30, 31, 58, 59, 400]) * DAY  # 31 Dec; 1, 31 Jan; 1, 28 Feb; 1 Mar; 5 Feb
    months = monthly_returns(times, series(1010, 0, 1111, 0, 1111, 1222.1, 611.05), 1000.0)
    assert [(one.year, one.month) for one in months] == [(2024, 12), (2025, 1), (2025, 2), (2025, 3), (2026, 2)]
    assert [one.return_pct for one in months] == pytest.approx([1.0, 10.0, 0.0, 10.0, -50.0])


def test_one_candle_is_measured_from_the_start() -> None:
    assert monthly_returns(days(1), series(1100), 1000.0) == (MonthlyReturn(2025, 1, 10.0),)
    assert monthly_returns(days(0), series(), 1000.0) == ()


def test_after_ruin_there_is_no_return() -> None:
    months = monthly_returns(days(3, 31 * DAY), series(500, 0, 100), 1000.0)
    assert [month.return_pct for month in months] == [-50.0, -100.0, None]


@given(st.lists(st.floats(0.5, 2.0), min_size=1, max_size=200))
def test_compounded_they_are_the_total_return(steps: list[float]) -> None:
    equity = 1000.0 * np.exp(np.cumsum(np.log(steps) / 10))
    months = monthly_returns(days(len(steps)), equity, 1000.0)
    product = math.prod(1.0 + (month.return_pct or 0.0) / 100.0 for month in months)
    assert 100.0 * (product - 1.0) == pytest.approx(total_return_pct(1000.0, float(equity[-1])), rel=1e-6, abs=1e-6)
