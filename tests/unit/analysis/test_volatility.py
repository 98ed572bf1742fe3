from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from tests.unit.analysis.samples import returns_lists, series

from vela.analysis.volatility import volatility_pct


def test_by_hand() -> None:
    assert volatility_pct(series(0.01, 0.03)) == pytest.approx(100 * 0.01 * math.sqrt(2) * math.sqrt(365))


def test_a_constant_account_does_not_move_and_a_single_day_says_nothing() -> None:
    assert volatility_pct(series(0, 0, 0)) == 0.0
    assert volatility_pct(series(0.1)) is None


@given(returns_lists)
def test_the_sign_of_returns_does_not_matter(returns: list[float]) -> None:
    values = np.array(returns)
    assert volatility_pct(-values) == pytest.approx(volatility_pct(values))
