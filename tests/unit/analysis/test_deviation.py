from __future__ import annotations

import statistics

import numpy as np
import pytest
from hypothesis import given
from tests.unit.analysis.samples import days, returns_lists, series

from vela.analysis.daily import daily_returns
from vela.analysis.deviation import deviation


def test_by_hand() -> None:
    assert deviation(series(1, 3)) == pytest.approx(2**0.5)  # n − 1, not n: that would be 1


@pytest.mark.parametrize("returns", [series(), series(0.1)])
def test_undefined_for_fewer_than_two(returns) -> None:
    assert deviation(returns) is None


def test_the_last_bit_is_no_deviation() -> None:
    steady = daily_returns(days(50), 1000.0 * np.power(1.01, np.arange(50)))
    assert len(set(steady.tolist())) > 1
    assert deviation(steady) == 0.0


def test_a_small_one_is_still_one() -> None:
    assert deviation(series(0.0, 1e-12)) == pytest.approx(1e-12 / 2**0.5)


@given(returns_lists)
def test_as_the_standard_library_has_it(returns: list[float]) -> None:
    assert deviation(np.array(returns)) == pytest.approx(statistics.stdev(returns), rel=1e-9, abs=1e-13)
