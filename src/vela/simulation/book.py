"""Open orders and the account behind them: the part of an exchange's state that decides what is possible."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import msgspec

from vela.domain.errors import LedgerError, OrderNotFound
from vela.domain.fill import Fill
from vela.domain.money import ZERO, add, subtract
from vela.domain.order import OrderStatus, Side
from vela.domain.trading_symbol import TradingSymbol
from vela.simulation.accounts import Account
from vela.simulation.exchange_events import (
    ExchangeEvent,
    OrderAccepted,
    OrderCancelled,
    OrderExpired,
    OrderFilled,
    OrderTriggered,
    order_of,
)
from vela.simulation.spot_orders import Prevention, SpotOrder, SpotRequest, SpotTrade

Told = Callable[[ExchangeEvent, SpotOrder], None]
"""Told of every event, with the order as it is afterwards."""


class Book:
    """Orders by client id, oldest first, and the account. Changed by events only, which its commands make and apply."""

    def __init__(self, account: Account, told: Told) -> None:
        """Begin with `account` and no orders."""
        self.account = account
        self.orders: dict[str, SpotOrder] = {}
        self.sequence = 0
        self._told = told
        self._is_shared = False

    def fork(self, told: Told) -> Book:
        """Return a book in the same state on which a command can be tried: this one does not change with it."""
        twin = Book(self.account, told)
        twin.orders, twin.sequence, twin._is_shared = self.orders, self.sequence, True
        return twin

    # ---------------------------------------------------------------------------------------------------------- asking

    def find(self, client_order_id: str) -> SpotOrder:
        """Return an open order.

        Raises:
            OrderNotFound: it is not open.
        """
        if client_order_id not in self.orders:
            raise OrderNotFound(f"order {client_order_id[:40]!r} is not open; accepted: the client id of an open order")
        return self.orders[client_order_id]

    def of_symbol(self, symbol: TradingSymbol) -> list[SpotOrder]:
        """Return the symbol's open orders, oldest first."""
        return [order for order in self.orders.values() if order.request.symbol == symbol]

    def others_of_group(self, request: SpotRequest) -> list[SpotOrder]:
        """Return the open orders that share the group of `request`, without itself."""
        if request.group is None:
            return []
        return [
            order
            for order in self.orders.values()
            if order.request.group == request.group and order.request.client_order_id != request.client_order_id
        ]

    def available(self, request: SpotRequest, asset: str) -> Decimal:
        """Return what an order may use of `asset`: all that is free and all that is locked for it or its group."""
        locked = self.account.locked(_lock_key(request)) if asset == locked_asset(request) else ZERO
        return add(self.account.free(asset), locked)

    # -------------------------------------------------------------------------------------------------------- commands

    def accept(self, request: SpotRequest, time: int, amount: Decimal) -> SpotOrder:
        """Let an order in and lock what it may need.

        Raises:
            LedgerError: more than is free would have to be locked.
        """
        return self.apply(OrderAccepted(self.sequence + 1, time, request, locked_asset(request), amount))

    def trigger(self, order: SpotOrder, time: int, amount: Decimal) -> SpotOrder:
        """Let a stop work from now on, with `amount` still locked for it."""
        return self.apply(OrderTriggered(self.sequence + 1, time, order.request.client_order_id, amount))

    def fill(
        self, fill: Fill, time: int, amount: Decimal, *, is_maker: bool = False, is_last: bool = False
    ) -> SpotOrder:
        """Execute an order, see `OrderFilled`.

        Raises:
            LedgerError: the account cannot pay.
        """
        return self.apply(OrderFilled(self.sequence + 1, time, fill, amount, is_maker, is_last))

    def cancel(self, order: SpotOrder, time: int, reason: str, cancel_id: str = "") -> SpotOrder:
        """Take an order back, see `OrderCancelled`."""
        return self.apply(OrderCancelled(self.sequence + 1, time, order.request.client_order_id, reason, cancel_id))

    def expire(self, order: SpotOrder, time: int, reason: str, prevention: Prevention | None = None) -> SpotOrder:
        """End an order that cannot, or shall not, execute any further."""
        return self.apply(OrderExpired(self.sequence + 1, time, order.request.client_order_id, reason, prevention))

    def apply(self, event: ExchangeEvent) -> SpotOrder:
        """Change the book by one event and return the order it is about.

        Raises:
            LedgerError: the event is not the next one, or does not fit the balances.
            OrderNotFound: the event is about an order that is not open.
        """
        if event.sequence != self.sequence + 1:
            raise LedgerError(f"event {event.sequence} cannot follow event {self.sequence}; accepted: the next number")
        order = _accepted(event) if isinstance(event, OrderAccepted) else _changed(self.find(order_of(event)), event)
        if self._is_shared:
            self.account, self.orders, self._is_shared = self.account.copy(), dict(self.orders), False
        amount = ZERO if isinstance(event, OrderCancelled | OrderExpired) else event.amount
        self._lock(order, amount if order.is_open else ZERO)
        if isinstance(event, OrderFilled):
            self.account.post(_changes(event.fill))
        if order.is_open:
            self.orders[order.request.client_order_id] = order
        else:
            del self.orders[order.request.client_order_id]
        self.sequence = event.sequence
        self._told(event, order)
        return order

    def _lock(self, order: SpotOrder, amount: Decimal) -> None:
        request = order.request
        if amount:
            self.account.reserve(_lock_key(request), request.client_order_id, locked_asset(request), amount)
        else:
            self.account.release(_lock_key(request), request.client_order_id)


def locked_asset(request: SpotRequest) -> str:
    """Return which asset an order keeps ready."""
    return request.symbol.quote.value if request.is_buy else request.symbol.base


def _accepted(event: OrderAccepted) -> SpotOrder:
    return SpotOrder(
        order_id=event.sequence,
        request=event.request,
        status=OrderStatus.ACCEPTED,
        created_time=event.time,
        updated_time=event.time,
        working_time=None if event.request.type.is_stop else event.time,
    )


def _changed(order: SpotOrder, event: OrderTriggered | OrderFilled | OrderCancelled | OrderExpired) -> SpotOrder:
    changes: dict[str, object] = {"updated_time": event.time}
    if isinstance(event, OrderTriggered):
        changes["working_time"] = event.time
    elif isinstance(event, OrderFilled):
        filled = add(order.filled_quantity, event.fill.quantity)
        is_done = event.is_last or filled == order.request.quantity
        changes |= {
            "status": OrderStatus.FILLED if is_done else OrderStatus.PARTIALLY_FILLED,
            "working_time": event.time if order.working_time is None else order.working_time,
            "filled_quantity": filled,
            "filled_value": add(order.filled_value, event.fill.value),
            "trades": (*order.trades, SpotTrade(order.order_id, event.fill, event.is_maker)),
        }
    elif isinstance(event, OrderCancelled):
        changes["status"] = OrderStatus.CANCELLED
    else:
        changes |= {"status": OrderStatus.EXPIRED, "prevention": event.prevention}
    return msgspec.structs.replace(order, **changes)


def _lock_key(request: SpotRequest) -> str:
    # The prefixes keep a client id from being mistaken for a group.
    return f"group:{request.group}" if request.group is not None else f"order:{request.client_order_id}"


def exchanged(side: Side, symbol: TradingSymbol, quantity: Decimal, value: Decimal) -> dict[str, Decimal]:
    """Return what a trade adds to (+) or takes from (−) the balances, before fees."""
    sign = 1 if side is Side.BUY else -1
    return {symbol.base: sign * quantity, symbol.quote.value: -sign * value}


def _changes(fill: Fill) -> dict[str, Decimal]:
    changes = exchanged(fill.side, fill.symbol, fill.quantity, fill.value)
    return changes | {fill.fee_asset: subtract(changes.get(fill.fee_asset, ZERO), fill.fee)}
