"""The figures of a group of closed trades."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import msgspec

from vela.analysis.expectancy import expectancy
from vela.analysis.payoff import payoff
from vela.analysis.pnl import closed_pnl
from vela.analysis.profit_factor import profit_factor
from vela.analysis.streaks import Streaks, streaks
from vela.analysis.win_rate import losses, win_rate_pct, wins
from vela.domain.money import add
from vela.domain.position import Trade


class TradeSheet(msgspec.Struct, frozen=True):
    """What a group of trades brought.

    Attributes:
        trades, wins, losses: how many; one that ended at zero is neither won nor lost.
        win_rate_pct: wins in percent of all trades; 0.0 without trades.
        profit_factor: sum of wins per sum of losses; None without a loss.
        payoff: mean win per mean loss; None without a win or without a loss.
        expectancy: mean net profit of a trade, in quote; 0.0 without trades.
        pnl: net profit, in quote, exact.
        fees: paid on both sides, in quote, exact.
        streaks: wins and losses in a row.
    """

    trades: int
    wins: int
    losses: int
    win_rate_pct: float
    profit_factor: float | None
    payoff: float | None
    expectancy: float
    pnl: Decimal
    fees: Decimal
    streaks: Streaks


def trade_sheet(trades: Sequence[Trade]) -> TradeSheet:
    """Return the figures of `trades`, which stand in the order in which they were closed."""
    pnl = closed_pnl(trades)
    return TradeSheet(
        trades=len(trades),
        wins=wins(pnl),
        losses=losses(pnl),
        win_rate_pct=win_rate_pct(pnl),
        profit_factor=profit_factor(pnl),
        payoff=payoff(pnl),
        expectancy=expectancy(pnl),
        pnl=add(*(trade.pnl for trade in trades)),
        fees=add(*(trade.fees for trade in trades)),
        streaks=streaks(pnl),
    )
