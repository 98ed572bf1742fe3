"""The smallest complete values of the core, for tests to vary."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import numpy as np

from vela.domain.candles import Candle, Candles
from vela.domain.fill import Fill
from vela.domain.instrument import Instrument
from vela.domain.order import Order, OrderPurpose, OrderRequest, OrderStatus, OrderType, Side
from vela.domain.position import ExitReason, Position, PositionSide, Trade, Wallet
from vela.domain.regime import MarketRegime
from vela.domain.signal import Action, Signal
from vela.domain.trading_symbol import TradingSymbol

BTC = TradingSymbol("BTC")
ETH = TradingSymbol("ETH")
SOL = TradingSymbol("SOL")
MINUTE = 60_000


def instrument(
    symbol: TradingSymbol = BTC, tick: str = "0.01", step: str = "0.00001", notional: str = "5"
) -> Instrument:
    return Instrument(symbol, Decimal(tick), Decimal(step), Decimal(notional), Decimal(step))


def signal(action: Action = Action.BUY, symbol: TradingSymbol = BTC, candle_time: int = 0, **changes) -> Signal:
    values = {"strategy": "SmaCrossover", "regime": MarketRegime.SIDEWAYS_RANGE, "confidence": 1.0, **changes}
    return Signal(symbol=symbol, candle_time=candle_time, action=action, **values)


def request(order_id: str = "BTCUSDT-0-E", quantity: str = "0.5", **changes) -> OrderRequest:
    values = {"symbol": BTC, "side": Side.BUY, "type": OrderType.MARKET, **changes}
    return OrderRequest(client_order_id=order_id, quantity=Decimal(quantity), **values)


def order(status: OrderStatus = OrderStatus.SENT, purpose: OrderPurpose = OrderPurpose.ENTRY, **changes) -> Order:
    values = {"request": request(), "created_time": 1, "updated_time": 1, "reason": "signal", **changes}
    return Order(purpose=purpose, status=status, **values)


def fill(price: str = "100", quantity: str = "0.5", side: Side = Side.BUY, **changes) -> Fill:
    values = {"fill_id": "f1", "client_order_id": "BTCUSDT-0-E", "symbol": BTC, "fee": Decimal("0.05"), **changes}
    values = {"fee_asset": "USDT", "time": 1_000, **values}
    return Fill(side=side, price=Decimal(price), quantity=Decimal(quantity), **values)


def position(**changes) -> Position:
    values: dict[str, Any] = {
        "symbol": BTC,
        "side": PositionSide.LONG,
        "quantity": Decimal("0.5"),
        "cost": Decimal(50),
        "entry_quantity": Decimal("0.5"),
        "entry_value": Decimal(50),
        "entry_time": 1_000,
        "fees": Decimal("0.05"),
        "strategy": "SmaCrossover",
        "entry_reason": "signal",
        "regime": MarketRegime.SIDEWAYS_RANGE,
        "stop_ticks": 9_800,
        "stop_reason": ExitReason.STOP_LOSS,
        "target_ticks": None,
        "best_ticks": 10_000,
    }
    values |= changes
    # A target closes the whole position unless it is said otherwise.
    values.setdefault("target_quantity", values["quantity"] if values["target_ticks"] else Decimal(0))
    return Position(**values)


def trade() -> Trade:
    return Trade(
        symbol=BTC,
        side=PositionSide.LONG,
        entry_time=1_000,
        entry_price=Decimal(100),
        exit_time=2_000,
        exit_price=Decimal(110),
        quantity=Decimal("0.5"),
        fees=Decimal("0.105"),
        pnl=Decimal("4.895"),
        return_pct=9.79,
        entry_reason="signal",
        exit_reason=ExitReason.SIGNAL,
        regime=MarketRegime.SIDEWAYS_RANGE,
        strategy="SmaCrossover",
    )


def wallet(**changes) -> Wallet:
    values: dict[str, Any] = {
        "quote": "USDT",
        "time": 1_000,
        "initial_capital": Decimal(1000),
        "cash": Decimal("949.95"),
        "reserved": Decimal(0),
        "cost": Decimal(50),
        "market_value": Decimal(55),
        "realised_pnl": Decimal(0),
        "fees": Decimal("0.05"),
    }
    return Wallet(**{**values, **changes})


def candle(open_time: int = 0, close: float = 100.0, high: float | None = None, low: float | None = None) -> Candle:
    top, bottom = close if high is None else high, close if low is None else low
    return Candle(open_time, close, top, bottom, close, 1.0)


def candles_of(closes: Iterable[float]) -> Candles:
    return Candles.from_rows([candle(index * MINUTE, float(close)) for index, close in enumerate(closes)])


def random_walk(count: int, seed: int, volatility: float = 0.01) -> Candles:
    chance = np.random.default_rng(seed)
    close = 100.0 * np.exp(np.cumsum(chance.normal(0.0, volatility, count)))
    first = np.concatenate(([100.0], close[:-1]))
    reach = np.abs(chance.normal(0.0, volatility, (2, count)))
    high, low = (
        np.maximum(first, close) * (1.0 + reach[0]),
        np.minimum(first, close) * (1.0 - np.minimum(reach[1], 0.5)),
    )
    times = np.arange(count, dtype=np.int64) * MINUTE
    return Candles.from_columns(times, first, high, low, close, chance.random(count))
