from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.analysis.samples import pnl_lists, series

from vela.analysis import monte_carlo as module
from vela.analysis.monte_carlo import MonteCarlo, Percentiles, Resampling, monte_carlo
from vela.domain.errors import ConfigurationError, MoneyError

BOTH = list(Resampling)


def simulate(pnl, seed: int = 1, **options) -> MonteCarlo:
    result = monte_carlo(pnl, 1000.0, np.random.default_rng(seed), **options)
    assert result is not None
    return result


def points(values: Percentiles) -> list[float]:
    return [values.p5, values.p25, values.p50, values.p75, values.p95]


def test_a_shuffle_ends_where_the_trades_end() -> None:
    assert points(simulate(series(10, -20, 30)).final_equity) == [1020.0] * 5


def test_drawdowns_of_all_orders_of_three_trades() -> None:
    drawdowns = []
    for order in permutations([100, -200, -300]):
        peak = equity = 1000
        worst = 0.0
        for pnl in order:
            equity += pnl
            peak = max(peak, equity)
            worst = max(worst, 100 * (peak - equity) / peak)
        drawdowns.append(worst)
    found = simulate(series(100, -200, -300), runs=5_000).max_drawdown_pct
    assert found.p5 == pytest.approx(min(drawdowns))
    assert found.p50 == pytest.approx(np.median(drawdowns))
    assert found.p95 == pytest.approx(max(drawdowns))


def test_a_bootstrap_scatters_as_independent_draws_do() -> None:
    result = simulate(series(*([10.0] * 50 + [-10.0] * 50)), runs=4_000, resampling=Resampling.BOOTSTRAP)
    assert result.final_equity.p50 == pytest.approx(1000.0, abs=20.0)
    spread = result.final_equity.p95 - result.final_equity.p5
    assert spread == pytest.approx(2 * 1.645 * 10 * 100**0.5, rel=0.1)


def test_only_wins_have_no_drawdown() -> None:
    assert points(simulate(series(1, 2, 3)).max_drawdown_pct) == [0.0] * 5


def test_a_first_loss_is_measured_from_the_start() -> None:
    assert points(simulate(series(-100)).max_drawdown_pct) == [10.0] * 5


@pytest.mark.parametrize("resampling", BOTH)
def test_the_same_seed_gives_the_same_result(resampling: Resampling) -> None:
    pnl = series(10, -20, 30, -5, 8)
    assert simulate(pnl, 5, resampling=resampling) == simulate(pnl, 5, resampling=resampling)
    assert simulate(pnl, 5, resampling=resampling) != simulate(pnl, 6, resampling=resampling)


@pytest.mark.parametrize("resampling", BOTH)
def test_parts_are_all_there(monkeypatch: pytest.MonkeyPatch, resampling: Resampling) -> None:
    whole = simulate(series(10, -20, 30), runs=100, resampling=resampling)
    monkeypatch.setattr(module, "_CELLS_AT_ONCE", 40)  # 13 runs at once, the last part is shorter
    assert simulate(series(10, -20, 30), runs=100, resampling=resampling) == whole


def test_without_trades_there_is_nothing_to_draw() -> None:
    assert monte_carlo(series(), 1000.0, np.random.default_rng(1)) is None


def test_impossible_values_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="runs was 0"):
        monte_carlo(series(1), 1000.0, np.random.default_rng(1), runs=0)
    for initial in (0.0, -1.0, float("nan")):
        with pytest.raises(MoneyError, match="initial equity"):
            monte_carlo(series(1), initial, np.random.default_rng(1))


@given(pnl_lists.filter(bool), st.sampled_from(BOTH), st.integers(0, 1000))
@settings(max_examples=50)
def test_percentiles_ascend_and_drawdowns_stay_in_bounds(pnl: list[float], resampling: Resampling, seed: int) -> None:
    result = simulate(np.array(pnl), seed, runs=20, resampling=resampling)
    final, depth = points(result.final_equity), points(result.max_drawdown_pct)
    assert final == sorted(final)
    assert depth == sorted(depth)
    assert 0.0 <= depth[0] <= depth[-1] <= 100.0
