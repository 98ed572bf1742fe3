from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.unit.analysis.samples import returns_lists, series

from vela.analysis.probabilistic_sharpe import probabilistic_sharpe, sharpe_probability, sharpe_variance


@pytest.mark.parametrize(("skew", "kurt", "expected"), [(0.0, 3.0, 0.982), (-2.448, 10.164, 0.913)])
def test_the_papers_example(skew: float, kurt: float, expected: float) -> None:
    # Bailey and López de Prado (2012): 24 months with a ratio of 0.458, first as if normal, then as they were.
    assert sharpe_probability(0.458, 0.0, 24, skew, kurt) == pytest.approx(expected, abs=5e-4)


def test_for_normal_returns_the_variance_is_that_of_lo() -> None:
    assert sharpe_variance(0.4, 0.0, 3.0) == pytest.approx(1 + 0.4**2 / 2)


def test_by_hand() -> None:
    # mean 1, s = √3, skew 1/√2, kurtosis 1.5
    ratio = 1 / math.sqrt(3)
    score = ratio * math.sqrt(2) / math.sqrt(1 - ratio / math.sqrt(2) + 0.125 / 3)
    assert probabilistic_sharpe(series(0, 0, 3)) == pytest.approx(0.5 * (1 + math.erf(score / math.sqrt(2))))


@pytest.mark.parametrize("returns", [(), (0.1,), (0.1, 0.1, 0.1)])
def test_undefined(returns: tuple[float, ...]) -> None:
    assert probabilistic_sharpe(series(*returns)) is None


@pytest.mark.parametrize(("count", "skew", "kurt"), [(1, 0.0, 3.0), (0, 0.0, 3.0), (10, 3.0, 1.0)])
def test_undefined_for_moments(count: int, skew: float, kurt: float) -> None:
    assert sharpe_probability(1.0, 0.0, count, skew, kurt) is None


@given(returns_lists, st.floats(-1.0, 1.0))
def test_a_probability_that_falls_with_the_benchmark(returns: list[float], benchmark: float) -> None:
    low, high = (probabilistic_sharpe(np.array(returns), b) for b in (benchmark, benchmark + 0.5))
    assume(low is not None)
    assert low is not None
    assert high is not None
    assert 0.0 <= high <= low <= 1.0


@given(st.floats(0.01, 1.0), st.integers(2, 1000), st.floats(-1.0, 1.0), st.floats(3.0, 10.0))
def test_a_longer_record_is_surer(ratio: float, count: int, skew: float, kurt: float) -> None:
    short, long = (sharpe_probability(ratio, 0.0, n, skew, kurt) for n in (count, 2 * count))
    assume(short is not None)
    assert short is not None
    assert long is not None
    assert short <= long


def test_the_benchmark_itself_is_a_coins_throw() -> None:
    assert sharpe_probability(0.3, 0.3, 100, -1.0, 5.0) == 0.5
