from __future__ import annotations

import numpy as np
from hypothesis import given
from tests.unit.analysis.samples import pnl_lists, series

from vela.analysis.win_rate import losses, win_rate_pct, wins


def test_by_hand() -> None:
    pnl = series(1, -1, 0, 0.01)
    assert (wins(pnl), losses(pnl), win_rate_pct(pnl)) == (2, 1, 50.0)  # zero is no win


def test_without_trades() -> None:
    assert (wins(series()), losses(series()), win_rate_pct(series())) == (0, 0, 0.0)


@given(pnl_lists)
def test_as_a_loop_counts(pnl: list[float]) -> None:
    values = np.array(pnl)
    assert (wins(values), losses(values)) == (sum(p > 0 for p in pnl), sum(p < 0 for p in pnl))
    assert 0.0 <= win_rate_pct(values) <= 100.0
