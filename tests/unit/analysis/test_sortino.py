from __future__ import annotations

import math
import statistics

import numpy as np
import pytest
from hypothesis import assume, given
from tests.unit.analysis.samples import returns_lists, scales, series

from vela.analysis.sortino import sortino


def test_by_hand() -> None:
    # mean 0.01; downside √(0.01² / 2)
    assert sortino(series(0.03, -0.01, 0.01)) == pytest.approx(math.sqrt(2 * 365))


@pytest.mark.parametrize("returns", [(), (-0.1,), (0.0, 0.0), (0.01, 0.02, 0.0)])
def test_undefined(returns: tuple[float, ...]) -> None:
    assert sortino(series(*returns)) is None


@given(returns_lists)
def test_as_a_loop_has_it(returns: list[float]) -> None:
    assume(min(returns) < -1e-6)
    squares = 0.0
    for value in returns:
        if value < 0:
            squares += value * value
    expected = statistics.fmean(returns) / (squares / (len(returns) - 1)) ** 0.5 * 365**0.5
    assert sortino(np.array(returns)) == pytest.approx(expected, rel=1e-9, abs=1e-9)


@given(returns_lists, scales)
def test_leverage_does_not_matter(returns: list[float], scale: float) -> None:
    assume(min(returns) < -1e-6)
    values = np.array(returns)
    assert sortino(values * scale) == pytest.approx(sortino(values))
