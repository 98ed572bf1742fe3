"""The account's books: what fills, fees and losses do to positions and ledger."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from decimal import Decimal

import msgspec

from vela.domain.errors import OrderError
from vela.domain.fill import Fill
from vela.domain.instrument import Instrument
from vela.domain.money import ZERO, add, plain, subtract
from vela.domain.order import Order, OrderPurpose
from vela.domain.position import ExitReason, Position
from vela.domain.trading_symbol import TradingSymbol
from vela.engine import positions as booking
from vela.engine.holdings import Holdings
from vela.engine.ledger import fill_transaction, loss, write_off
from vela.engine.order_ids import stem
from vela.engine.rules import TradingRules
from vela.engine.settlement import fee_asset_of_owner, settled, worth
from vela.engine.step import StepBuilder
from vela.ports.record import AccountState, LedgerTransaction


class Books(Holdings):
    """What is held, and how it changes by what was executed or has gone."""

    def __init__(
        self,
        rules: TradingRules,
        instruments: Iterable[Instrument],
        state: AccountState,
        stranded: Collection[TradingSymbol] = (),
    ) -> None:
        """Go on from `state`, as it was last committed. `stranded`: see `Holdings`."""
        super().__init__(rules, instruments, state, stranded)
        self._entries: dict[TradingSymbol, int] = dict(state.entries)
        self._booked = defaultdict(set, {order_id: set(fills) for order_id, fills in state.booked.items()})
        self._quotes: dict[TradingSymbol, float] = {}

    def _book(self, fill: Fill, order: Order, step: StepBuilder) -> Order:
        net, instrument = settled(fill), self._instruments[fill.symbol]
        position = self._positions.get(fill.symbol)
        fee_worth = self._fee_worth(fill, step)
        fee = add(net.fee, fee_worth) if net.fee_asset == self._rules.quote else fee_worth
        relieved = None
        if order.purpose is OrderPurpose.ENTRY and position is None:
            # Where an earlier part was sold already, the second position's ids must not be those of the first.
            shift = len(self._booked[order.client_order_id])
            position = booking.opened(net, order, fee, self._rules, instrument, shift)
            self._entries[fill.symbol] = entered = booking.time_of_entry(order, fill)
            step.entry(fill.symbol, entered)
        elif order.purpose is OrderPurpose.ENTRY and position is not None:
            position = booking.grown(position, net, fee, self._rules, instrument)
        elif position is None or fill.quantity > position.quantity:
            raise OrderError(f"fill {fill.fill_id} of {order.client_order_id} closes more than is held")
        else:
            relieved = booking.relieved_cost(position, fill.quantity)
            position = booking.reduced(position, net, fee, order.purpose)
        transaction = fill_transaction(net, relieved, fee_worth)
        self._account.book(transaction)
        if relieved is None:
            self._tell_overdraft(transaction, step)
        self._booked[order.client_order_id].add(fill.fill_id)
        order = msgspec.structs.replace(
            order,
            filled_quantity=add(order.filled_quantity, fill.quantity),
            filled_value=add(order.filled_value, fill.value),
        )
        step.fill(fill, order, transaction)
        self._place(position, order, fill.time, step)
        return order

    def _tell_overdraft(self, purchase: LedgerTransaction, step: StepBuilder) -> None:
        # The sale that paid for it is not told yet; or the market ran away from the expected price, and the venue took
        # what was missing from what is there besides.
        missing = self._account.overdraft
        if missing:
            amount = f"{plain(missing)} {self._rules.quote}"
            why = f"{purchase.id} cost more than the cash there was"
            step.alert("warning", f"{why}: {amount} below zero until a sale brings them back")

    def _fee_worth(self, fill: Fill, step: StepBuilder) -> Decimal:
        asset = fee_asset_of_owner(fill)
        if asset is None:
            return ZERO
        price = next((Decimal(repr(quote)) for symbol, quote in self._quotes.items() if symbol.base == asset), None)
        if price is None:
            amount, quote = f"{plain(fill.fee)} {asset}", self._rules.quote
            step.alert("warning", f"fee of {amount} for fill {fill.fill_id} has no price in {quote} here")
        return worth(fill.fee, price)

    def _place(self, position: Position, order: Order, time: int, step: StepBuilder) -> None:
        self._positions[position.symbol] = position
        if position.quantity:
            step.position(position)
        else:
            self._close(position, time, ExitReason(order.reason), step)

    def _close(self, position: Position, time: int, reason: ExitReason, step: StepBuilder) -> None:
        del self._positions[position.symbol]
        step.trade(booking.closed_trade(position, time, reason))

    def _write_off(self, position: Position, reason: ExitReason, step: StepBuilder) -> None:
        symbol = position.symbol
        transaction = write_off(stem(symbol, position.entry_time), self._rules.quote, position.cost, step.time)
        self._account.book(transaction)
        step.book(transaction)
        amount = f"{plain(position.quantity)} {symbol.base}"
        step.alert("warning", f"{amount} are too little to be sold: written off, they stay on the account")
        self._close(position, step.time, reason, step)

    def _lose(self, position: Position, left: Decimal, step: StepBuilder) -> None:
        symbol, smaller = position.symbol, booking.diminished(position, left)
        gone, cost = subtract(position.quantity, left), subtract(position.cost, smaller.cost)
        transaction = loss(f"{stem(symbol, position.entry_time)}-{smaller.revision}", symbol, gone, cost, step.time)
        self._account.book(transaction)
        step.book(transaction)
        amount = f"{plain(gone)} {symbol.base} of {plain(position.quantity)}"
        step.alert("critical", f"{amount} are not at the venue any more: written off")
        if not left:
            self._close(smaller, step.time, ExitReason.DUST, step)
        else:
            self._positions[symbol] = smaller
            step.position(smaller)
