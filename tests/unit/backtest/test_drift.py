from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vela.backtest.drift import DriftKind, explain_drift
from vela.domain.position import ExitReason, PositionSide, Trade
from vela.domain.regime import MarketRegime
from vela.domain.trading_symbol import TradingSymbol

BTC, ETH = TradingSymbol("BTC"), TradingSymbol("ETH")
D = Decimal


def trade(
    entry_time: int = 1_000,
    *,
    symbol: TradingSymbol = BTC,
    side: PositionSide = PositionSide.LONG,
    entry: str = "100",
    exit_: str = "110",
    quantity: str = "2",
    fees: str = "0.4",
) -> Trade:
    gain = side.sign * (D(exit_) - D(entry)) * D(quantity)
    return Trade(
        symbol=symbol,
        side=side,
        entry_time=entry_time,
        entry_price=D(entry),
        exit_time=entry_time + 500,
        exit_price=D(exit_),
        quantity=D(quantity),
        fees=D(fees),
        pnl=gain - D(fees),
        return_pct=0.0,
        entry_reason="signal",
        exit_reason=ExitReason.SIGNAL,
        regime=MarketRegime.UNKNOWN,
        strategy="S",
    )


def kinds(session: list[Trade], backtest: list[Trade], within_ms: int = 100) -> list[tuple[DriftKind, Decimal | None]]:
    return [(drift.kind, drift.cost) for drift in explain_drift(session, backtest, within_ms=within_ms)]


@given(st.lists(st.integers(0, 10**9), unique=True, max_size=20))
def test_the_same_trades_do_not_differ(times: list[int]) -> None:
    trades = [trade(time) for time in times]
    assert explain_drift(trades, list(reversed(trades)), within_ms=10**9) == ()


def test_a_missed_trade_costs_its_result_and_an_extra_one_what_it_lost() -> None:
    assert kinds([], [trade()]) == [(DriftKind.MISSED, D("19.6"))]
    assert kinds([trade()], []) == [(DriftKind.EXTRA, D("-19.6"))]


@pytest.mark.parametrize(
    ("ours", "expected"),
    [
        ({"entry": "101"}, [(DriftKind.PRICE, D(2))]),
        ({"exit_": "109"}, [(DriftKind.PRICE, D(2))]),
        ({"exit_": "111"}, [(DriftKind.PRICE, D(-2))]),
        ({"quantity": "1"}, [(DriftKind.SIZE, D(10))]),
        ({"fees": "0.5"}, [(DriftKind.FEE, D("0.1"))]),
        ({"entry_time": 1_050}, [(DriftKind.TIMING, None), (DriftKind.TIMING, None)]),
    ],
)
def test_what_a_difference_costs(ours: dict[str, str | int], expected: list[tuple[DriftKind, Decimal | None]]) -> None:
    assert kinds([trade(**ours)], [trade()]) == expected  # type: ignore[arg-type]


def test_price_size_and_fee_together_make_the_whole_gap() -> None:
    ours = trade(entry="101.5", exit_="108", quantity="1.7", fees="0.55")
    found = explain_drift([ours], [trade()], within_ms=0)
    assert sum(drift.cost for drift in found if drift.cost is not None) == trade().pnl - ours.pnl


def test_a_short_loses_by_a_higher_exit() -> None:
    ours, theirs = (trade(side=PositionSide.SHORT, exit_=price) for price in ("95", "90"))
    assert kinds([ours], [theirs]) == [(DriftKind.PRICE, D(10))]


def test_another_reason_is_told() -> None:
    ours = msgspec.structs.replace(trade(), exit_reason=ExitReason.STOP_LOSS)
    assert kinds([ours], [trade()]) == [(DriftKind.REASON, None)]


def test_partners_are_the_nearest_of_the_same_symbol_and_direction() -> None:
    assert kinds([trade(1_000), trade(1_080)], [trade(1_070), trade(1_000)]) == [(DriftKind.TIMING, None)] * 2
    assert {kind for kind, _ in kinds([trade()], [trade(symbol=ETH)])} == {DriftKind.MISSED, DriftKind.EXTRA}
    assert {kind for kind, _ in kinds([trade(1_000)], [trade(1_101)])} == {DriftKind.MISSED, DriftKind.EXTRA}
