from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.analysis.samples import series

from vela.analysis.minimum_track_record import minimum_track_record_days, required_returns
from vela.analysis.probabilistic_sharpe import sharpe_probability
from vela.domain.errors import ConfigurationError


@pytest.mark.parametrize(
    ("periods", "skew", "kurt", "years"),
    [(250, 0.0, 3.0, 2.73), (52, 0.0, 3.0, 2.83), (12, 0.0, 3.0, 3.24), (12, -0.72, 5.78, 4.99)],
)
def test_the_papers_examples(periods: int, skew: float, kurt: float, years: float) -> None:
    # Bailey and López de Prado (2012): an annual ratio of 2 against 1, at 95 %, by days, weeks and months.
    needed = required_returns(2 / math.sqrt(periods), 1 / math.sqrt(periods), skew, kurt)
    assert needed is not None
    assert needed / periods == pytest.approx(years, abs=5e-3)


def test_by_hand() -> None:
    # Φ⁻¹(0.95) = 1.6449; ratio 1/√3, variance as in the probabilistic ratio
    ratio = 1 / math.sqrt(3)
    expected = 1 + (1 - ratio / math.sqrt(2) + 0.125 / 3) * (1.6448536 / ratio) ** 2
    assert minimum_track_record_days(series(0, 0, 3)) == pytest.approx(expected)


@pytest.mark.parametrize("returns", [(), (0.1,), (0.1, 0.1), (-0.1, 0.05), (-0.1, 0.1)])
def test_undefined(returns: tuple[float, ...]) -> None:
    assert minimum_track_record_days(series(*returns)) is None


@pytest.mark.parametrize("confidence", [0.4, 1.0, -1.0, math.nan])
def test_an_impossible_confidence_is_refused(confidence: float) -> None:
    with pytest.raises(ConfigurationError, match="accepted"):
        minimum_track_record_days(series(0.01, 0.02), 0.0, confidence)


@given(st.floats(0.05, 0.5), st.floats(-2.0, 0.5), st.floats(5.0, 15.0), st.floats(0.6, 0.99))
def test_at_that_length_the_ratio_is_just_proven(ratio: float, skew: float, kurt: float, confidence: float) -> None:
    needed = required_returns(ratio, 0.0, skew, kurt, confidence)
    assert needed is not None
    count = math.ceil(needed)
    enough, short = (sharpe_probability(ratio, 0.0, n, skew, kurt) for n in (count + 1, count - 1))
    assert enough is not None
    assert enough >= confidence
    assert short is None or short <= confidence
