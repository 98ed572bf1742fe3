from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vela.analysis.cagr import cagr_pct
from vela.analysis.total_return import total_return_pct


@pytest.mark.parametrize(
    ("initial", "final", "days", "expected"),
    [
        (1000.0, 1210.0, 730.0, 10.0),  # 1.1² in two years
        (1000.0, 1100.0, 182.5, 21.0),  # 10 % in half a year
        (1000.0, 0.0, 100.0, -100.0),
    ],
)
def test_by_hand(initial: float, final: float, days: float, expected: float) -> None:
    assert cagr_pct(initial, final, days) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("initial", "final", "days"),
    [(0.0, 1.0, 1.0), (1000.0, -1.0, 365.0), (1000.0, 1100.0, 0.0), (1000.0, 1100.0, 1 / 24), (1e-300, 1e300, 365.0)],
)
def test_undefined(initial: float, final: float, days: float) -> None:
    assert cagr_pct(initial, final, days) is None


@given(st.floats(0.01, 1e6), st.floats(0.0, 1e6))
def test_over_a_year_it_is_the_total_return(initial: float, final: float) -> None:
    assert cagr_pct(initial, final, 365.0) == pytest.approx(total_return_pct(initial, final), rel=1e-9, abs=1e-9)
