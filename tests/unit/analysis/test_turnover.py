from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.analysis.samples import closed, series

from vela.analysis.turnover import turnover


def test_by_hand() -> None:
    # (100 + 110) × 0.5 = 105 traded on 1050 in a fifth of a year
    assert turnover([closed()], series(1000, 1100), 73.0) == pytest.approx(0.5)


def test_without_trades_nothing_is_turned_over() -> None:
    assert turnover([], series(1000, 1000), 365.0) == 0.0


@pytest.mark.parametrize(
    ("equity", "days"), [(series(), 1.0), (series(1000), 0.0), (series(0, 0), 1.0), (series(100, -200), 1.0)]
)
def test_undefined(equity, days: float) -> None:
    assert turnover([closed()], equity, days) is None


@given(st.integers(1, 20), st.floats(1.0, 1e6), st.floats(0.01, 1e4))
def test_twice_the_trades_twice_the_turnover(count: int, level: float, days: float) -> None:
    equity = np.full(5, level)
    once, twice = (turnover([closed()] * n, equity, days) for n in (count, 2 * count))
    assert once is not None
    assert twice == pytest.approx(2 * once)
