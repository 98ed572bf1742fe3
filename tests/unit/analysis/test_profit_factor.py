from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from tests.unit.analysis.samples import pnl_lists, scales, series

from vela.analysis.payoff import payoff
from vela.analysis.profit_factor import profit_factor
from vela.analysis.win_rate import losses, wins


@pytest.mark.parametrize(
    ("pnl", "expected"),
    [((10, 20, -15), 2.0), ((-1, -2), 0.0), ((5, 0, -5), 1.0), ((), None), ((1, 2), None), ((0,), None)],
)
def test_by_hand(pnl: tuple[float, ...], expected: float | None) -> None:
    assert profit_factor(series(*pnl)) == expected


@given(pnl_lists, scales)
def test_the_size_of_trades_does_not_matter(pnl: list[float], scale: float) -> None:
    values = np.array(pnl)
    assert profit_factor(values * scale) == pytest.approx(profit_factor(values))


@given(pnl_lists)
def test_it_is_payoff_times_wins_per_loss(pnl: list[float]) -> None:
    values = np.array(pnl)
    ratio, factor = payoff(values), profit_factor(values)
    if ratio is not None:
        assert factor == pytest.approx(ratio * wins(values) / losses(values))
    else:
        assert factor in {None, 0.0}


@given(pnl_lists)
def test_above_one_exactly_where_money_was_made(pnl: list[float]) -> None:
    factor = profit_factor(np.array(pnl))
    cents = sum(round(100 * p) for p in pnl)
    assert factor is None or abs(factor - 1) < 1e-9 or (factor > 1) == (cents > 0)


@given(pnl_lists)
def test_turned_trades_turn_it_over(pnl: list[float]) -> None:
    values = np.array(pnl)
    factor, turned = profit_factor(values), profit_factor(-values)
    if factor and turned:
        assert factor * turned == pytest.approx(1.0)
