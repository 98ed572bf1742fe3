from __future__ import annotations

import math

import numpy as np
import pytest

from vela.analysis.series import defined, quotient


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, np.float64("nan")])
def test_what_is_no_number_is_none(value: float) -> None:
    assert defined(value) is None


def test_a_number_is_a_plain_float() -> None:
    assert type(defined(np.float64(1.5))) is float
    assert type(quotient(np.float64(3.0), np.float64(2.0))) is float


@pytest.mark.parametrize(
    ("numerator", "denominator", "expected"),
    [
        (3.0, 2.0, 1.5),
        (0.0, 2.0, 0.0),
        (1.0, 0.0, None),
        (0.0, 0.0, None),
        (1e300, 1e-300, None),
        (1.0, math.nan, None),
    ],
)
def test_quotient(numerator: float, denominator: float, expected: float | None) -> None:
    assert quotient(numerator, denominator) == expected
