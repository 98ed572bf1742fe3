from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from tests.unit.analysis.samples import returns_lists, series

from vela.analysis.skewness import skewness


def test_by_hand() -> None:
    assert skewness(series(0, 0, 3)) == pytest.approx(2 / 2**1.5)  # m2 = 2, m3 = 2
    assert skewness(series(-1, 0, 1)) == pytest.approx(0.0)


@pytest.mark.parametrize("returns", [(), (0.1,), (0.1, 0.1, 0.1)])
def test_undefined(returns: tuple[float, ...]) -> None:
    assert skewness(series(*returns)) is None


@given(returns_lists)
def test_as_a_loop_has_it_and_turned_with_the_returns(returns: list[float]) -> None:
    mean = sum(returns) / len(returns)
    second = sum((r - mean) ** 2 for r in returns) / len(returns)
    third = sum((r - mean) ** 3 for r in returns) / len(returns)
    assume(second > 1e-12)
    values = np.array(returns)
    assert skewness(values) == pytest.approx(third / second**1.5, rel=1e-6, abs=1e-6)
    assert skewness(-values) == pytest.approx(-third / second**1.5, rel=1e-6, abs=1e-6)
