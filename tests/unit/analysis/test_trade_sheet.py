from __future__ import annotations

from decimal import Decimal

from tests.unit.analysis.samples import closed

from vela.analysis.streaks import Streaks
from vela.analysis.trade_sheet import TradeSheet, trade_sheet


def test_by_hand() -> None:
    trades = [closed("30", fees=Decimal("0.1")), closed("-10", fees=Decimal("0.2")), closed("10", fees=Decimal(0))]
    assert trade_sheet(trades) == TradeSheet(
        trades=3,
        wins=2,
        losses=1,
        win_rate_pct=100 * 2 / 3,
        profit_factor=4.0,
        payoff=2.0,
        expectancy=10.0,
        pnl=Decimal(30),
        fees=Decimal("0.3"),
        streaks=Streaks(1, 1, 1),
    )


def test_without_trades() -> None:
    assert trade_sheet([]) == TradeSheet(0, 0, 0, 0.0, None, None, 0.0, Decimal(0), Decimal(0), Streaks(0, 0, 0))


def test_money_is_exact() -> None:
    assert trade_sheet([closed("0.1")] * 3).pnl == Decimal("0.3")
    assert trade_sheet([closed("123456789012345678.000000000001"), closed("-0.1")]).pnl == Decimal(
        "123456789012345677.900000000001"
    )
