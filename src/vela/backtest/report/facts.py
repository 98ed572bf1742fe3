"""The figures of a report, named and written, each with what it means for the eye: good, bad or neither."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from vela.analysis.trade_sheet import TradeSheet
from vela.backtest.report.wording import NONE, money, name_of, number, percent, signed
from vela.backtest.result import BacktestResult

UP, DOWN, FLAT = "up", "down", ""


@dataclass(frozen=True, slots=True)
class Fact:
    """A figure. `tone`: `up`, `down` or nothing."""

    label: str
    text: str
    tone: str = FLAT


def tone_of(value: float | Decimal | None) -> str:
    """Return `up` above zero, `down` below."""
    return FLAT if not value else UP if value > 0 else DOWN


def arrow(value: float | Decimal | None) -> str:
    """Return ▲ above zero, ▼ below, nothing else."""
    return {UP: "▲ ", DOWN: "▼ ", FLAT: ""}[tone_of(value)]


def return_facts(result: BacktestResult) -> list[Fact]:
    """Return what the account earned, beside what doing nothing would have."""
    sheet, quote = result.sheet, result.rules.quote
    return [
        Fact("Total return", percent(sheet.total_return_pct, sign=True), tone_of(sheet.total_return_pct)),
        Fact("Buy and hold", percent(sheet.buy_and_hold_pct, sign=True), tone_of(sheet.buy_and_hold_pct)),
        Fact("Growth per year", percent(sheet.cagr_pct, sign=True), tone_of(sheet.cagr_pct)),
        Fact("Capital", f"{money(result.rules.initial_capital)} {quote}"),
        Fact("Final equity", f"{money(result.final_equity)} {quote}"),
        Fact("Fees paid", f"{money(result.fees_paid)} {quote}"),
        Fact("Time in the market", percent(sheet.exposure_pct)),
        Fact("Turnover per year", NONE if sheet.turnover is None else f"{number(sheet.turnover, 1)} ×"),
    ]


def risk_facts(result: BacktestResult) -> list[Fact]:
    """Return the figures of risk, and of what return came for it."""
    sheet = result.sheet
    sure, needed = sheet.probabilistic_sharpe, sheet.minimum_track_record_days
    return [
        Fact("Deepest drawdown", percent(-sheet.max_drawdown_pct, sign=True), tone_of(-sheet.max_drawdown_pct)),
        Fact("Longest drawdown", f"{number(sheet.max_drawdown_days, 1)} days"),
        Fact("Volatility per year", percent(sheet.volatility_pct)),
        Fact("Sharpe ratio", number(sheet.sharpe), tone_of(sheet.sharpe)),
        Fact("Sortino ratio", number(sheet.sortino), tone_of(sheet.sortino)),
        Fact("Calmar ratio", number(sheet.calmar), tone_of(sheet.calmar)),
        Fact("Chance that Sharpe > 0", NONE if sure is None else percent(100 * sure)),
        Fact("Days to prove it", number(needed, 0)),
    ]


def trade_facts(result: BacktestResult) -> list[Fact]:
    """Return the figures of the closed trades."""
    sheet = result.sheet.all_trades
    quote = result.rules.quote
    return [
        Fact("Trades", f"{sheet.trades:,}"),
        Fact("Won", f"{sheet.wins:,}  ({percent(sheet.win_rate_pct)})"),
        Fact("Profit factor", number(sheet.profit_factor), tone_of((sheet.profit_factor or 1.0) - 1.0)),
        Fact("Mean win / mean loss", number(sheet.payoff)),
        Fact("Mean trade", f"{signed(sheet.expectancy, 4)} {quote}", tone_of(sheet.expectancy)),
        Fact("Net profit", f"{signed(sheet.pnl)} {quote}", tone_of(sheet.pnl)),
        Fact("Wins in a row", f"{sheet.streaks.longest_winning:,}"),
        Fact("Losses in a row", f"{sheet.streaks.longest_losing:,}"),
    ]


GROUP_COLUMNS = ("Trades", "Won", "Profit factor", "Mean trade", "Net profit", "Fees")


def group_row(sheet: TradeSheet) -> list[Fact]:
    """Return a group's figures in the order of `GROUP_COLUMNS`."""
    return [
        Fact(GROUP_COLUMNS[0], f"{sheet.trades:,}"),
        Fact(GROUP_COLUMNS[1], percent(sheet.win_rate_pct)),
        Fact(GROUP_COLUMNS[2], number(sheet.profit_factor)),
        Fact(GROUP_COLUMNS[3], signed(sheet.expectancy, 4), tone_of(sheet.expectancy)),
        Fact(GROUP_COLUMNS[4], signed(sheet.pnl), tone_of(sheet.pnl)),
        Fact(GROUP_COLUMNS[5], money(sheet.fees)),
    ]


def groups(result: BacktestResult) -> dict[str, dict[str, TradeSheet]]:
    """Return the trades by exit reason, regime and, of several, symbol, each group under its name for people."""
    sheet = result.sheet
    symbols = sheet.by_symbol if len(result.candles) > 1 else {}
    named = {"Exit": sheet.by_exit_reason, "Regime at entry": sheet.by_regime, "Symbol": symbols}
    return {
        title: {key if title == "Symbol" else name_of(key): one for key, one in group.items()}
        for title, group in named.items()
        if group
    }


def refusals(result: BacktestResult) -> str:
    """Return what was refused, by reason, in one line; empty where nothing was."""
    return ", ".join(f"{name_of(reason)} {count:,}" for reason, count in result.refused.items() if count)


def months(result: BacktestResult) -> dict[int, list[float | None]]:
    """Return the months' returns by year: twelve each and the year's own, None where there is none."""
    table: dict[int, list[float | None]] = {}
    for month in result.sheet.months:
        table.setdefault(month.year, [None] * 12)[month.month - 1] = month.return_pct
    for values in table.values():
        growth = 1.0
        for value in values:
            growth *= 1.0 + (value or 0.0) / 100.0
        values.append(100.0 * (growth - 1.0))
    return table
