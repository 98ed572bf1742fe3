"""Open orders and the account behind them: the part of the exchange's state that decides what is possible."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from vela.domain.errors import OrderNotFound
from vela.domain.fill import Fill
from vela.domain.money import add, subtract
from vela.domain.order import OrderRequest, OrderType, Side
from vela.domain.trading_symbol import TradingSymbol
from vela.simulation.accounts import Account
from vela.simulation.exchange_events import ExchangeEvent, OrderAccepted, OrderFilled


class OpenOrder(NamedTuple):
    """An order that may still execute. `sequence`, `time`: of its acceptance."""

    request: OrderRequest
    sequence: int
    time: int

    @property
    def rank(self) -> tuple[bool, int]:
        """Order of execution within one tick, where nobody knows what came first: stops, then by age."""
        return self.request.type is not OrderType.STOP, self.sequence


class Book:
    """Orders by client id, oldest first, and the account. Changed by events only."""

    def __init__(self, account: Account, orders: dict[str, OpenOrder] | None = None) -> None:
        self.account = account
        self.orders = orders if orders is not None else {}

    def copy(self) -> Book:
        """Return an independent book in the same state."""
        return Book(self.account.copy(), dict(self.orders))

    def of_symbol(self, symbol: TradingSymbol) -> list[OpenOrder]:
        """Return the symbol's orders as they take their turn."""
        return sorted((order for order in self.orders.values() if order.request.symbol == symbol), key=lambda o: o.rank)

    def others_of_group(self, request: OrderRequest) -> Sequence[OpenOrder]:
        """Return the open orders that share the group of `request`, without itself."""
        if request.group is None:
            return ()
        return [
            order
            for order in self.orders.values()
            if order.request.group == request.group and order.request.client_order_id != request.client_order_id
        ]

    def available(self, request: OrderRequest, asset: str) -> Decimal:
        """Return what an order may use of `asset`: all that is free and all that is locked for it or its group."""
        return add(self.account.free(asset), self.account.locked(_lock_key(request)))

    def apply(self, event: ExchangeEvent) -> OrderRequest:
        """Change the book by one event and return the order it is about.

        Raises:
            LedgerError: the event does not fit the balances.
            OrderNotFound: the event is about an order that is not open.
        """
        if isinstance(event, OrderAccepted):
            request = event.request
            if event.amount:
                self.account.reserve(_lock_key(request), request.client_order_id, event.asset, event.amount)
            self.orders[request.client_order_id] = OpenOrder(request, event.sequence, event.time)
            return request
        client_order_id = event.fill.client_order_id if isinstance(event, OrderFilled) else event.client_order_id
        if client_order_id not in self.orders:
            raise OrderNotFound(f"order {client_order_id[:40]!r} is not open; accepted: the client id of an open order")
        request = self.orders.pop(client_order_id).request
        self.account.release(_lock_key(request), client_order_id)
        if isinstance(event, OrderFilled):
            self.account.post(_changes(event.fill))
        return request


class Draft:
    """A command in the making: its events so far, applied to a copy of the book that the first one makes."""

    def __init__(self, book: Book, sequence: int, time: int) -> None:
        """Begin after event number `sequence`, at `time` (ms UTC)."""
        self.book = book
        self.time = time
        self.events: list[ExchangeEvent] = []
        self._sequence = sequence

    @property
    def sequence(self) -> int:
        """Number of the next event."""
        return self._sequence + len(self.events) + 1

    def add(self, event: ExchangeEvent) -> None:
        """Take an event in.

        Raises:
            LedgerError: the event does not fit the balances.
            OrderNotFound: the event is about an order that is not open.
        """
        if not self.events:
            self.book = self.book.copy()
        self.book.apply(event)
        self.events.append(event)


def stopped_at_once(orders: Iterable[OpenOrder]) -> Mapping[tuple[Side, Decimal | None], Decimal]:
    """Return the quantity of stops that trigger together, by side and price, in base.

    What is sold on one touch of a price weighs on the market as one order, in however many it was placed.
    """
    together: defaultdict[tuple[Side, Decimal | None], Decimal] = defaultdict(Decimal)
    for request in (order.request for order in orders):
        together[request.side, request.stop_price] = add(together[request.side, request.stop_price], request.quantity)
    return together


def _lock_key(request: OrderRequest) -> str:
    # The prefixes keep a client id from being mistaken for a group.
    return f"group:{request.group}" if request.group is not None else f"order:{request.client_order_id}"


def _changes(fill: Fill) -> dict[str, Decimal]:
    if fill.side is Side.BUY:
        return {fill.symbol.base: fill.quantity, fill.fee_asset: -add(fill.value, fill.fee)}
    return {fill.symbol.base: -fill.quantity, fill.fee_asset: subtract(fill.value, fill.fee)}
