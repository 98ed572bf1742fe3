from __future__ import annotations

import math
import statistics

import numpy as np
import pytest
from hypothesis import assume, given
from tests.unit.analysis.samples import days, equity_lists, returns_lists, scales, series

from vela.analysis.daily import daily_returns
from vela.analysis.sharpe import period_sharpe, sharpe


def test_by_hand() -> None:
    assert period_sharpe(series(0.01, 0.03)) == pytest.approx(math.sqrt(2))  # 0.02 / (0.01 × √2)
    assert sharpe(series(0.01, 0.03)) == pytest.approx(math.sqrt(2 * 365))


@pytest.mark.parametrize("returns", [(), (0.1,), (0.0, 0.0), (0.01, 0.01, 0.01)])
def test_undefined(returns: tuple[float, ...]) -> None:
    assert sharpe(series(*returns)) is None


def test_steady_growth_has_no_ratio_however_it_is_rounded() -> None:
    assert sharpe(daily_returns(days(50), 1000.0 * np.power(1.01, np.arange(50)))) is None


@given(returns_lists)
def test_as_a_straightforward_calculation_has_it(returns: list[float]) -> None:
    assume(statistics.stdev(returns) > 1e-9)
    expected = statistics.fmean(returns) / statistics.stdev(returns) * 365**0.5
    assert sharpe(np.array(returns)) == pytest.approx(expected, rel=1e-6, abs=1e-6)


@given(returns_lists)
def test_turned_returns_turn_the_ratio(returns: list[float]) -> None:
    assume(statistics.stdev(returns) > 1e-9)
    values = np.array(returns)
    assert sharpe(-values) == pytest.approx(-(sharpe(values) or 0.0))


@given(equity_lists, scales)
def test_the_size_of_the_account_does_not_matter(equity: list[float], scale: float) -> None:
    times, values = days(len(equity)), np.array(equity)
    returns = daily_returns(times, values)
    assume(len(returns) > 1 and returns.std() > 1e-6)
    assert sharpe(daily_returns(times, values * scale)) == pytest.approx(sharpe(returns), rel=1e-6, abs=1e-6)
