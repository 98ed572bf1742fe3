"""The tear sheet: all statistics of one run."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import msgspec
import numpy as np

from vela.analysis import grouping
from vela.analysis.buy_and_hold import buy_and_hold_pct
from vela.analysis.cagr import cagr_pct
from vela.analysis.calmar import calmar
from vela.analysis.daily import daily_returns, elapsed_days
from vela.analysis.deflated_sharpe import deflated_sharpe
from vela.analysis.drawdown import Drawdown, max_drawdown_days, max_drawdown_pct, worst_drawdowns
from vela.analysis.exposure import exposure_pct
from vela.analysis.kurtosis import kurtosis
from vela.analysis.minimum_track_record import minimum_track_record_days
from vela.analysis.monthly import MonthlyReturn, monthly_returns
from vela.analysis.probabilistic_sharpe import probabilistic_sharpe
from vela.analysis.series import Series, Times
from vela.analysis.sharpe import sharpe
from vela.analysis.skewness import skewness
from vela.analysis.sortino import sortino
from vela.analysis.tail_ratio import tail_ratio
from vela.analysis.total_return import total_return_pct
from vela.analysis.trade_sheet import TradeSheet, trade_sheet
from vela.analysis.turnover import turnover
from vela.analysis.volatility import volatility_pct
from vela.domain.errors import CandleError, MoneyError
from vela.domain.position import Trade


class TearSheet(msgspec.Struct, frozen=True):
    """What one run brought. A figure that is undefined is None, never NaN or infinite.

    Attributes:
        candles: how many.
        start, end: start of the first and of the last candle, ms UTC.
        initial_capital, final_equity: in quote.
        total_return_pct, buy_and_hold_pct: over the whole run, in percent.
        cagr_pct: compound growth, in percent per year of 365 days.
        volatility_pct: of daily returns, in percent per year.
        sharpe, sortino: of daily (UTC) returns, risk-free rate 0, × √365.
        calmar: cagr_pct per max_drawdown_pct.
        probabilistic_sharpe: probability that the true Sharpe ratio is above 0, in 0–1.
        deflated_sharpe: the same against the best that luck gives in `trials` trials.
        trials: how many parameter sets were tried.
        minimum_track_record_days: days that prove a Sharpe ratio above 0 at 95 %.
        skewness, kurtosis, tail_ratio: of daily returns; kurtosis is 3 for normal ones.
        max_drawdown_pct: deepest drawdown of per-candle equity, in percent of its peak, 0–100.
        max_drawdown_days: longest time below a peak.
        drawdowns: the five deepest.
        exposure_pct: candles with a position, in percent of all.
        turnover: how often a year the account is traded, both sides counted.
        months: return of each UTC month.
        all_trades: figures of all closed trades.
        by_regime, by_symbol, by_exit_reason, by_month: the same for each group (month of the exit, UTC).
    """

    candles: int
    start: int
    end: int
    initial_capital: Decimal
    final_equity: float
    total_return_pct: float | None
    buy_and_hold_pct: float | None
    cagr_pct: float | None
    volatility_pct: float | None
    sharpe: float | None
    sortino: float | None
    calmar: float | None
    probabilistic_sharpe: float | None
    deflated_sharpe: float | None
    trials: int
    minimum_track_record_days: float | None
    skewness: float | None
    kurtosis: float | None
    tail_ratio: float | None
    max_drawdown_pct: float
    max_drawdown_days: float
    drawdowns: tuple[Drawdown, ...]
    exposure_pct: float
    turnover: float | None
    months: tuple[MonthlyReturn, ...]
    all_trades: TradeSheet
    by_regime: dict[str, TradeSheet]
    by_symbol: dict[str, TradeSheet]
    by_exit_reason: dict[str, TradeSheet]
    by_month: dict[str, TradeSheet]


@np.errstate(over="ignore", invalid="ignore")  # what grows beyond a float comes out as None
def tear_sheet(
    times: Times,
    equity: Series,
    trades: Sequence[Trade],
    initial_capital: Decimal,
    buy_and_hold: Series,
    *,
    open_since: Sequence[int] = (),
    trials: int = 1,
    trial_variance: float | None = None,
) -> TearSheet:
    """Gather every statistic of one run.

    Args:
        times: start of each candle, int64 ms UTC, strictly ascending, at least one.
        equity: at the close of each candle, in quote, finite.
        trades: closed round trips, in the order in which they were closed.
        initial_capital: in quote, above 0.
        buy_and_hold: price of the asset or value of the basket over the same time, oldest first.
        open_since: entry times of positions still open at the end, ms UTC.
        trials: how many parameter sets were tried before this one was chosen, it included.
        trial_variance: of their daily Sharpe ratios; None: what chance alone would give (`deflated_sharpe`).

    Raises:
        CandleError: times are empty, not ascending or not as many as equity.
        MoneyError: capital is not above zero, or an equity or a held value is not finite.
        ConfigurationError: fewer than one trial, or an impossible variance.
    """
    _check(times, equity, initial_capital, buy_and_hold)
    initial, final = float(initial_capital), float(equity[-1])
    days, returns = elapsed_days(times), daily_returns(times, equity)
    growth, deepest = cagr_pct(initial, final, days), max_drawdown_pct(equity)
    return TearSheet(
        candles=len(times),
        start=int(times[0]),
        end=int(times[-1]),
        initial_capital=initial_capital,
        final_equity=final,
        total_return_pct=total_return_pct(initial, final),
        buy_and_hold_pct=buy_and_hold_pct(buy_and_hold),
        cagr_pct=growth,
        volatility_pct=volatility_pct(returns),
        sharpe=sharpe(returns),
        sortino=sortino(returns),
        calmar=calmar(growth, deepest),
        probabilistic_sharpe=probabilistic_sharpe(returns),
        deflated_sharpe=deflated_sharpe(returns, trials, trial_variance),
        trials=trials,
        minimum_track_record_days=minimum_track_record_days(returns),
        skewness=skewness(returns),
        kurtosis=kurtosis(returns),
        tail_ratio=tail_ratio(returns),
        max_drawdown_pct=deepest,
        max_drawdown_days=max_drawdown_days(times, equity),
        drawdowns=worst_drawdowns(times, equity),
        exposure_pct=exposure_pct(times, trades, open_since),
        turnover=turnover(trades, equity, days),
        months=monthly_returns(times, equity, initial),
        all_trades=trade_sheet(trades),
        by_regime=_sheets(grouping.by_regime(trades)),
        by_symbol=_sheets(grouping.by_symbol(trades)),
        by_exit_reason=_sheets(grouping.by_exit_reason(trades)),
        by_month=_sheets(grouping.by_month(trades)),
    )


def _sheets(groups: grouping.Groups) -> dict[str, TradeSheet]:
    return {name: trade_sheet(trades) for name, trades in groups.items()}


def _check(times: Times, equity: Series, initial_capital: Decimal, buy_and_hold: Series) -> None:
    if times.ndim != 1 or not len(times):
        raise CandleError(f"times have shape {times.shape}; accepted: (n,) with at least one candle")
    if equity.shape != times.shape:
        raise CandleError(f"equity has shape {equity.shape}; accepted: {times.shape} like times")
    if not np.all(np.diff(times) > 0):
        raise CandleError("times do not ascend; accepted: each candle later than the one before")
    if not (initial_capital.is_finite() and initial_capital > 0):
        raise MoneyError(f"initial capital was {initial_capital}; accepted: a number above 0")
    for name, values in (("equity", equity), ("buy and hold", buy_and_hold)):
        if not np.all(np.isfinite(values)):
            raise MoneyError(f"{name} holds NaN or infinity; accepted: finite numbers")
