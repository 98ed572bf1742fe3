from __future__ import annotations

import json
import math
from collections.abc import Iterator
from decimal import Decimal

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders import BTC, ETH
from tests.unit.analysis.samples import DAY, HOUR, NEW_YEAR, closed, days, pnl_lists, series

from vela.analysis.daily import daily_returns
from vela.analysis.sharpe import sharpe
from vela.analysis.tear_sheet import TearSheet, tear_sheet
from vela.domain.errors import CandleError, ConfigurationError, MoneyError
from vela.domain.regime import MarketRegime

CAPITAL = Decimal(1000)


def sheet(equity, trades=(), times=None, **options) -> TearSheet:
    moments = days(len(equity)) if times is None else times
    return tear_sheet(moments, equity, trades, CAPITAL, options.pop("held", equity), **options)


def values(node: object) -> Iterator[object]:
    if isinstance(node, dict):
        for inner in node.values():
            yield from values(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from values(inner)
    else:
        yield node


def test_the_figures_of_a_small_run() -> None:
    trades = [
        closed("50", symbol=BTC, entry_time=NEW_YEAR + DAY, exit_time=NEW_YEAR + 2 * DAY),
        closed("-25", symbol=ETH, entry_time=NEW_YEAR + 2 * DAY, exit_time=NEW_YEAR + 3 * DAY),
    ]
    trades[1] = msgspec.structs.replace(trades[1], regime=MarketRegime.BEAR_TREND)
    found = sheet(series(1000, 1050, 945, 1100), trades, held=series(10, 9, 8, 15))
    assert (found.candles, found.start, found.end) == (4, NEW_YEAR, NEW_YEAR + 3 * DAY)
    assert (found.initial_capital, found.final_equity) == (CAPITAL, 1100.0)
    assert (found.total_return_pct, found.buy_and_hold_pct) == (10.0, 50.0)
    assert found.cagr_pct == pytest.approx(100 * (1.1 ** (365 / 4) - 1))
    assert found.max_drawdown_pct == pytest.approx(10.0)
    assert found.max_drawdown_days == 2.0
    assert found.calmar == pytest.approx((found.cagr_pct or 0) / 10)
    assert found.sharpe == sharpe(daily_returns(days(4), series(1000, 1050, 945, 1100)))
    assert found.exposure_pct == 50.0
    (drawdown,) = found.drawdowns
    assert (drawdown.depth_pct, drawdown.days) == (found.max_drawdown_pct, 2.0)
    assert [month.return_pct for month in found.months] == [10.0]
    assert (found.all_trades.trades, found.all_trades.profit_factor) == (2, 2.0)
    assert {name: group.pnl for name, group in found.by_symbol.items()} == {"BTC": Decimal(50), "ETH": Decimal(-25)}
    assert list(found.by_regime) == ["bear_trend", "sideways_range"]
    assert list(found.by_exit_reason) == ["signal"]
    assert list(found.by_month) == ["2025-01"]


def test_no_trades_and_a_constant_account() -> None:
    found = sheet(np.full(30, 1000.0))
    assert (found.total_return_pct, found.cagr_pct, found.volatility_pct) == (0.0, 0.0, 0.0)
    assert (found.max_drawdown_pct, found.max_drawdown_days, found.drawdowns) == (0.0, 0.0, ())
    assert (found.exposure_pct, found.turnover) == (0.0, 0.0)
    for name in ("sharpe", "sortino", "calmar", "probabilistic_sharpe", "deflated_sharpe", "skewness", "kurtosis"):
        assert getattr(found, name) is None
    assert found.minimum_track_record_days is found.tail_ratio is None
    assert found.by_regime == found.by_symbol == found.by_exit_reason == found.by_month == {}
    assert (found.all_trades.trades, found.all_trades.win_rate_pct, found.all_trades.expectancy) == (0, 0.0, 0.0)


@pytest.mark.parametrize("count", [1, 24])
def test_one_candle_and_one_day(count: int) -> None:
    found = sheet(np.linspace(1000.0, 1010.0, count)[::-1], times=days(count, HOUR))
    assert found.candles == count
    assert found.sharpe is found.sortino is found.volatility_pct is None
    assert (found.cagr_pct is None) == (count == 1)


def test_only_wins() -> None:
    found = sheet(series(1000, 1010, 1030), [closed("10"), closed("20")])
    assert (found.all_trades.profit_factor, found.all_trades.payoff) == (None, None)
    assert (found.all_trades.win_rate_pct, found.all_trades.expectancy) == (100.0, 15.0)
    assert found.calmar is found.sortino is None


@pytest.mark.parametrize("end", [0.0, -400.0])
def test_ruin(end: float) -> None:
    found = sheet(series(1000, 500, end, end))
    assert found.max_drawdown_pct == 100.0
    assert found.total_return_pct == (end - 1000.0) / 10.0
    assert found.cagr_pct == (-100.0 if end == 0.0 else None)
    assert found.sharpe is not None
    assert found.sharpe < 0.0


def test_more_trials_deflate() -> None:
    equity = 1000.0 * np.exp(np.cumsum(np.random.default_rng(2).normal(0.002, 0.01, 200)))
    alone, best = sheet(equity), sheet(equity, trials=500)
    assert alone.deflated_sharpe == alone.probabilistic_sharpe
    assert best.trials == 500
    assert best.deflated_sharpe is not None
    assert alone.deflated_sharpe is not None
    assert best.deflated_sharpe < alone.deflated_sharpe
    assert sheet(equity, trials=500, trial_variance=0.0).deflated_sharpe == alone.deflated_sharpe


def test_what_is_still_open_is_exposure() -> None:
    assert sheet(np.full(10, 1000.0), open_since=[NEW_YEAR + 5 * DAY]).exposure_pct == 50.0


def test_it_goes_through_json_and_back() -> None:
    found = sheet(series(1000, 1050, 945, 1100), [closed("50"), closed("-25")])
    assert msgspec.json.decode(msgspec.json.encode(found), type=TearSheet) == found


def test_inputs_are_left_alone() -> None:
    equity, times = series(1000, 1050, 945), days(3)
    equity.flags.writeable = times.flags.writeable = False
    assert sheet(equity, times=times) == sheet(equity, times=times)


@pytest.mark.parametrize(
    ("times", "equity", "capital", "held", "error"),
    [
        (days(0), series(), CAPITAL, series(), CandleError),
        (days(2), series(1, 2, 3), CAPITAL, series(), CandleError),
        (days(2)[::-1], series(1, 2), CAPITAL, series(), CandleError),
        (days(2, 0), series(1, 2), CAPITAL, series(), CandleError),
        (days(2), series(1, math.nan), CAPITAL, series(), MoneyError),
        (days(2), series(1, math.inf), CAPITAL, series(), MoneyError),
        (days(2), series(1, 2), CAPITAL, series(1, -math.inf), MoneyError),
        (days(2), series(1, 2), Decimal(0), series(), MoneyError),
        (days(2), series(1, 2), Decimal("NaN"), series(), MoneyError),
        (days(2), series(1, 2), Decimal("Infinity"), series(), MoneyError),
    ],
)
def test_what_makes_no_sense_is_refused(times, equity, capital: Decimal, held, error: type[Exception]) -> None:
    with pytest.raises(error, match="accepted"):
        tear_sheet(times, equity, [], capital, held)


def test_no_trial_at_all_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="trials was 0"):
        sheet(series(1, 2), trials=0)


anything = st.one_of(st.floats(-1e4, 1e4), st.floats(allow_nan=False, allow_infinity=False), st.just(0.0))


@given(st.lists(anything, min_size=1, max_size=40), pnl_lists, st.sampled_from([HOUR, DAY, 20 * DAY]))
def test_no_figure_is_ever_nan_or_infinite(equity: list[float], pnl: list[float], step: int) -> None:
    trades = [closed(p, exit_time=NEW_YEAR + i * HOUR) for i, p in enumerate(pnl)]
    found = sheet(np.array(equity), trades, times=days(len(equity), step), trials=10)
    plain = msgspec.to_builtins(found)  # refuses NumPy's own numbers
    json.dumps(plain, allow_nan=False)
    assert all(not isinstance(value, float) or math.isfinite(value) for value in values(plain))
    assert 0.0 <= found.max_drawdown_pct <= 100.0
    assert 0.0 <= found.exposure_pct <= 100.0
