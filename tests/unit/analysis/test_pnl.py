from __future__ import annotations

import numpy as np
from tests.unit.analysis.samples import closed

from vela.analysis.pnl import closed_pnl


def test_in_the_order_given() -> None:
    assert closed_pnl([closed("2.5"), closed("-1"), closed("0")]).tolist() == [2.5, -1.0, 0.0]


def test_no_trades_are_an_empty_series() -> None:
    assert closed_pnl([]).shape == (0,)
    assert closed_pnl([]).dtype == np.float64
