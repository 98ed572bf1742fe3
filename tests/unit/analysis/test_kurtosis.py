from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from tests.unit.analysis.samples import returns_lists, series

from vela.analysis.kurtosis import kurtosis
from vela.analysis.skewness import skewness


def test_by_hand() -> None:
    assert kurtosis(series(0, 0, 3)) == pytest.approx(1.5)  # m2 = 2, m4 = 6
    assert kurtosis(series(-1, 1)) == pytest.approx(1.0)


def test_a_normal_sample_is_near_three() -> None:
    assert kurtosis(np.random.default_rng(1).normal(size=100_000)) == pytest.approx(3.0, abs=0.05)


@pytest.mark.parametrize("returns", [(), (0.1,), (0.1, 0.1, 0.1)])
def test_undefined(returns: tuple[float, ...]) -> None:
    assert kurtosis(series(*returns)) is None


@given(returns_lists)
def test_as_a_loop_has_it_and_never_below_one_and_the_square_of_skewness(returns: list[float]) -> None:
    mean = sum(returns) / len(returns)
    second = sum((r - mean) ** 2 for r in returns) / len(returns)
    fourth = sum((r - mean) ** 4 for r in returns) / len(returns)
    assume(second > 1e-12)
    kurt, skew = kurtosis(np.array(returns)), skewness(np.array(returns))
    assert kurt == pytest.approx(fourth / second**2, rel=1e-6)
    assert kurt is not None
    assert skew is not None
    assert kurt >= 1 + skew * skew - 1e-6
