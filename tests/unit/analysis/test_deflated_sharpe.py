from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.analysis.samples import series

from vela.analysis.deflated_sharpe import deflated_sharpe, expected_maximum_sharpe
from vela.analysis.probabilistic_sharpe import probabilistic_sharpe, sharpe_probability
from vela.domain.errors import ConfigurationError

# Bailey and López de Prado (2014), numerical example: ratio 2.5 a year from 1250 daily returns of 250-day years,
# variance of the trials' annual ratios 1/2.
DAILY = 2.5 / math.sqrt(250)
VARIANCE = 0.5 / 250


def test_the_papers_expected_maximum() -> None:
    assert expected_maximum_sharpe(100, VARIANCE) == pytest.approx(0.1132, abs=5e-5)


@pytest.mark.parametrize(
    ("trials", "skew", "kurt", "expected"),
    [(100, -3.0, 10.0, 0.9004), (46, -3.0, 10.0, 0.9505), (88, 0.0, 3.0, 0.9505)],
)
def test_the_papers_example(trials: int, skew: float, kurt: float, expected: float) -> None:
    benchmark = expected_maximum_sharpe(trials, VARIANCE)
    assert sharpe_probability(DAILY, benchmark, 1250, skew, kurt) == pytest.approx(expected, abs=5e-5)


@pytest.mark.parametrize("trials", [10, 100, 1000])
def test_the_expected_maximum_is_what_a_simulation_finds(trials: int) -> None:
    best = np.random.default_rng(7).normal(0.0, 0.2, (2_000, trials)).max(axis=1)
    assert expected_maximum_sharpe(trials, 0.04) == pytest.approx(best.mean(), rel=0.04)


def test_one_trial_leaves_the_probabilistic_ratio() -> None:
    returns = series(0.01, -0.02, 0.03, 0.01)
    assert expected_maximum_sharpe(1, 0.5) == 0.0
    assert deflated_sharpe(returns, 1) == probabilistic_sharpe(returns)


def test_the_variance_that_chance_gives() -> None:
    returns = series(0.01, -0.02, 0.03, 0.01, 0.02)
    assert deflated_sharpe(returns, 20) == deflated_sharpe(returns, 20, 1 / 4)


@pytest.mark.parametrize("returns", [(), (0.1,), (0.1, 0.1, 0.1)])
def test_undefined(returns: tuple[float, ...]) -> None:
    assert deflated_sharpe(series(*returns), 10) is None


@pytest.mark.parametrize(("trials", "variance"), [(0, 0.1), (-1, 0.1), (5, -0.1), (5, math.nan), (5, math.inf)])
def test_impossible_trials_are_refused(trials: int, variance: float) -> None:
    with pytest.raises(ConfigurationError, match="accepted"):
        deflated_sharpe(series(0.01, 0.02), trials, variance)


@given(st.integers(1, 10**12), st.floats(0.0, 10.0))
def test_more_trials_ask_for_more(trials: int, variance: float) -> None:
    few, many = (expected_maximum_sharpe(n, variance) for n in (trials, 2 * trials))
    assert 0.0 <= few <= many
