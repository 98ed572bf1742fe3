from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from tests.unit.analysis.samples import pnl_lists, scales, series

from vela.analysis.payoff import payoff


@pytest.mark.parametrize(
    ("pnl", "expected"), [((10, 20, -5), 3.0), ((4, 0, -8), 0.5), ((), None), ((1, 2), None), ((-1, 0), None)]
)
def test_by_hand(pnl: tuple[float, ...], expected: float | None) -> None:
    assert payoff(series(*pnl)) == expected


@given(pnl_lists, scales)
def test_the_size_of_trades_does_not_matter(pnl: list[float], scale: float) -> None:
    values = np.array(pnl)
    assert payoff(values * scale) == pytest.approx(payoff(values))
