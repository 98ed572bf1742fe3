from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from tests.unit.analysis.samples import returns_lists, scales, series

from vela.analysis.tail_ratio import tail_ratio


def test_by_hand() -> None:
    # −5 … 15 in 21 steps: the second is the 5th percentile, the last but one the 95th
    assert tail_ratio(np.arange(-5.0, 16.0)) == pytest.approx(14 / 4)


@pytest.mark.parametrize("returns", [(), (0.1,), (0.0, 0.0, 0.0)])
def test_undefined(returns: tuple[float, ...]) -> None:
    assert tail_ratio(series(*returns)) is None


def percentile(values: list[float], fraction: float) -> float:
    ordered = sorted(values)
    place = fraction * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


@given(returns_lists, scales)
def test_as_sorted_by_hand_and_whatever_the_leverage(returns: list[float], scale: float) -> None:
    assume(abs(percentile(returns, 0.05)) > 1e-6)
    expected = abs(percentile(returns, 0.95)) / abs(percentile(returns, 0.05))
    assert tail_ratio(np.array(returns)) == pytest.approx(expected, rel=1e-6, abs=1e-9)
    assert tail_ratio(np.array(returns) * scale) == pytest.approx(expected, rel=1e-6, abs=1e-9)
