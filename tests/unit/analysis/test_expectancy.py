from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from tests.unit.analysis.samples import pnl_lists, series

from vela.analysis.expectancy import expectancy
from vela.analysis.win_rate import losses, wins


def test_by_hand() -> None:
    assert expectancy(series(10, -4, 0)) == 2.0
    assert expectancy(series()) == 0.0


@given(pnl_lists.filter(bool))
def test_the_same_as_rates_times_means(pnl: list[float]) -> None:
    values = np.array(pnl)
    won, lost = values[values > 0], values[values < 0]
    mean_win = won.mean() if len(won) else 0.0
    mean_loss = -lost.mean() if len(lost) else 0.0
    expected = (wins(values) * mean_win - losses(values) * mean_loss) / len(pnl)
    assert expectancy(values) == pytest.approx(expected, abs=1e-9)
