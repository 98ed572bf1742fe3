"""A desk with the usual rules, and short words for what tests do with it."""

from __future__ import annotations

from decimal import Decimal

from tests.builders import BTC, ETH, SOL, candle, instrument, signal
from tests.unit.engine.venue import Desk

from vela.domain.events import (
    OrderChanged,
    SymbolCandle,
)
from vela.domain.order import Order, OrderPurpose, OrderRequest, OrderStatus, OrderType
from vela.domain.signal import Action
from vela.engine.limits import Limits
from vela.engine.rules import Stake, TradingRules
from vela.engine.step import Step

S = OrderStatus
MINUTE = 60_000


def desk(limits: Limits | None = None, **changes) -> Desk:
    rules = TradingRules(**{"slippage_ppm": 0, "cooldown_ms": 0, "stake": Stake.from_str("100"), **changes})
    made = Desk(rules, [instrument(symbol) for symbol in (BTC, ETH, SOL)], limits)
    made.advance()
    for symbol in (BTC, ETH, SOL):
        made.quote(symbol, "100")
    return made


def send(at: Desk, action: Action, symbol=BTC, answer: str = "fill") -> Step:
    at.venue.market = answer
    time = at.advance()
    return at.follow(at.manager.on_signal(signal(action, symbol, candle_time=time), time))


def buy(at: Desk, symbol=BTC, answer: str = "fill") -> Step:
    return send(at, Action.BUY, symbol, answer)


def sell(at: Desk, symbol=BTC, answer: str = "fill") -> Step:
    return send(at, Action.SELL, symbol, answer)


def close(at: Desk, price: float, high: float | None = None, low: float | None = None, symbol=BTC) -> Step:
    row = SymbolCandle(symbol, candle(0, price, high=high, low=low))
    return at.follow(at.manager.on_candles([row], at.advance(MINUTE)))


def hit(at: Desk, kind: OrderType, price: str, share: str = "1") -> None:
    at.advance()
    at.venue.prices[BTC] = Decimal(price)
    (resting,) = at.venue.open_orders(BTC, kind)
    at.venue.execute(resting.request.client_order_id, resting.left * Decimal(share))


def live(at: Desk, purpose: OrderPurpose) -> Order:
    (order,) = (order for order in at.manager.live_orders if order.purpose is purpose)
    return order


def resting(at: Desk) -> list[OrderRequest]:
    """What rests at the venue for BTC."""
    return [order.request for order in at.venue.open_orders(BTC, *OrderType)]


def refusals(at: Desk) -> list[str | None]:
    return [outcome.refusal for outcome in at.outcomes]


def kinds(step: Step) -> list[str]:
    def name(message) -> str:
        status = f" {message.order.status.value}" if isinstance(message, OrderChanged) else ""
        return type(message).__name__ + status

    return [name(message) for message in step.messages]
