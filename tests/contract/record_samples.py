"""Records to write, the smallest that are complete."""

from __future__ import annotations

from decimal import Decimal

from vela.domain.assets import QuoteCurrency
from vela.domain.fill import Fill
from vela.domain.order import Order, OrderPurpose, OrderRequest, OrderStatus, OrderType, Side
from vela.domain.position import ExitReason, Position, PositionSide, Trade, Wallet
from vela.domain.regime import MarketRegime
from vela.domain.signal import Action, Decision, Signal, SignalOutcome
from vela.domain.trading_symbol import TradingSymbol
from vela.ports.record import LedgerTransaction, Posting

BTC = TradingSymbol("BTC")
ETH_BTC = TradingSymbol("ETH", QuoteCurrency.BTC)


def planned(order_id: str, symbol: TradingSymbol = BTC, time: int = 1_000) -> Order:
    request = OrderRequest(order_id, symbol, Side.BUY, OrderType.LIMIT, Decimal("0.010"), price=Decimal("60000.10"))
    return Order(
        request,
        OrderPurpose.ENTRY,
        OrderStatus.PLANNED,
        time,
        time,
        reason="signal",
        reserved=Decimal("600.60"),
        strategy="SmaCrossover",
        regime=MarketRegime.BULL_TREND,
    )


def life(order_id: str, *statuses: OrderStatus, symbol: TradingSymbol = BTC, time: int = 1_000) -> tuple[Order, ...]:
    states = [planned(order_id, symbol, time)]
    for step, status in enumerate(statuses, start=1):
        states.append(states[-1].moved(status, time + step))
    return tuple(states)


def fill(fill_id: str, order_id: str, symbol: TradingSymbol = BTC, time: int = 1_002) -> Fill:
    return Fill(
        fill_id, order_id, symbol, Side.BUY, Decimal("60000.10"), Decimal("0.010"), Decimal("0.6000010"), "USDT", time
    )


def position(symbol: TradingSymbol = BTC, quantity: str = "0.010") -> Position:
    return Position(
        symbol=symbol,
        side=PositionSide.LONG,
        quantity=Decimal(quantity),
        cost=Decimal("600.0010"),
        entry_quantity=Decimal("0.010"),
        entry_value=Decimal("600.0010"),
        entry_time=1_002,
        fees=Decimal("0.6000010"),
        strategy="SmaCrossover",
        entry_reason="signal",
        regime=MarketRegime.BULL_TREND,
        stop_ticks=5_880_009,
        stop_reason=ExitReason.STOP_LOSS,
        target_ticks=None,
        best_ticks=6_000_010,
        revision=3,
    )


def trade(exit_time: int, symbol: TradingSymbol = BTC) -> Trade:
    return Trade(
        symbol=symbol,
        side=PositionSide.LONG,
        entry_time=1_002,
        entry_price=Decimal("60000.10"),
        exit_time=exit_time,
        exit_price=Decimal(61000),
        quantity=Decimal("0.010"),
        fees=Decimal("1.210001"),
        pnl=Decimal("8.788999"),
        return_pct=1.4648,
        entry_reason="signal",
        exit_reason=ExitReason.SIGNAL,
        regime=MarketRegime.BULL_TREND,
        strategy="SmaCrossover",
    )


def signal(candle_time: int = 940, symbol: TradingSymbol = BTC, strategy: str = "SmaCrossover") -> Signal:
    return Signal(symbol, candle_time, Action.BUY, strategy, MarketRegime.BULL_TREND, 0.75)


def refused(reason: str, candle_time: int = 940, symbol: TradingSymbol = BTC) -> SignalOutcome:
    return SignalOutcome(signal(candle_time, symbol), None, reason)


def decision(candle_time: int, symbol: TradingSymbol = BTC, reason: str = "no_signal") -> Decision:
    return Decision(
        symbol, candle_time, Action.HOLD, "SmaCrossover", MarketRegime.UNKNOWN, 0.0, reason, {"fast": 0.1, "slow": 1e-9}
    )


def wallet(time: int, market_value: str = "600.00") -> Wallet:
    return Wallet(
        quote="USDT",
        time=time,
        initial_capital=Decimal(1000),
        cash=Decimal("399.40"),
        reserved=Decimal(0),
        cost=Decimal("600.00"),
        market_value=Decimal(market_value),
        realised_pnl=Decimal(0),
        fees=Decimal("0.60"),
    )


def deposit(transaction_id: str, amount: str, asset: str = "USDT") -> LedgerTransaction:
    value = Decimal(amount)
    return LedgerTransaction(transaction_id, 1_000, (Posting("cash", asset, value), Posting("capital", asset, -value)))
