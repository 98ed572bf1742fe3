"""What one step of the order manager asks its caller to do."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from vela.domain.events import (
    Alert,
    Message,
    OrderChanged,
    OrderFilled,
    PositionChanged,
    PositionClosed,
    SignalHandled,
)
from vela.domain.fill import Fill
from vela.domain.order import Order, OrderPurpose, OrderRequest
from vela.domain.position import Position, Trade
from vela.domain.signal import Signal, SignalOutcome
from vela.domain.trading_symbol import TradingSymbol
from vela.engine.risk import Refusal
from vela.ports.record import Changes, LedgerTransaction, LimitMarks


class Plan(msgspec.Struct, frozen=True):
    """Orders to send in one go: those to cancel first, then the new ones of one `purpose`; either may be none.

    Stops and targets go together; their purpose is STOP.
    """

    purpose: OrderPurpose
    cancel: tuple[str, ...]
    requests: tuple[OrderRequest, ...]


class Step(msgspec.Struct, frozen=True):
    """What to write, then what to tell, then what to send, and which orders' states to ask for."""

    changes: Changes
    messages: tuple[Message, ...]
    plans: tuple[Plan, ...]
    asks: tuple[str, ...] = ()


NOTHING = Step(Changes(), (), ())
"""The step that asks for nothing."""


class StepBuilder:
    """Collects what a step does, at market time `time` (ms UTC)."""

    def __init__(self, time: int) -> None:
        self.time = time
        self._orders: list[Order] = []
        self._fills: list[Fill] = []
        self._positions: dict[TradingSymbol, Position] = {}
        self._closed: dict[TradingSymbol, None] = {}
        self._trades: list[Trade] = []
        self._ledger: list[LedgerTransaction] = []
        self._outcomes: list[SignalOutcome] = []
        self._entries: dict[TradingSymbol, int] = {}
        self._limit_marks: LimitMarks | None = None
        self._messages: list[Message] = []
        self._plans: list[Plan] = []
        self._asks: list[str] = []

    def order(self, order: Order) -> None:
        """An order reached a state."""
        self._orders.append(order)
        self.tell(OrderChanged(time=order.updated_time, order=order))

    def fill(self, fill: Fill, order: Order, transaction: LedgerTransaction) -> None:
        """A fill was booked."""
        self._fills.append(fill)
        self._ledger.append(transaction)
        self.tell(OrderFilled(time=fill.time, fill=fill, purpose=order.purpose, reason=order.reason))

    def book(self, transaction: LedgerTransaction) -> None:
        """A transaction without a fill was booked."""
        self._ledger.append(transaction)

    def position(self, position: Position) -> None:
        """A position changed."""
        self._closed.pop(position.symbol, None)
        self._positions[position.symbol] = position

    def trade(self, trade: Trade) -> None:
        """A round trip ended; its position is gone."""
        self._positions.pop(trade.symbol, None)
        self._closed[trade.symbol] = None
        self._trades.append(trade)
        self.tell(PositionClosed(time=trade.exit_time, trade=trade))

    def outcome(self, signal: Signal, *, order_id: str | None = None, refusal: Refusal | None = None) -> None:
        """A signal was dealt with."""
        outcome = SignalOutcome(signal, order_id, refusal.value if refusal else None)
        self._outcomes.append(outcome)
        self.tell(SignalHandled(time=self.time, outcome=outcome))

    def entry(self, symbol: TradingSymbol, time: int) -> None:
        """An entry was filled; its cool-down begins."""
        self._entries[symbol] = time

    def limit_marks(self, marks: LimitMarks) -> None:
        """What losses are measured from changed."""
        self._limit_marks = marks

    def plan(self, purpose: OrderPurpose, cancel: tuple[str, ...], requests: tuple[OrderRequest, ...]) -> None:
        """Orders are to be sent."""
        self._plans.append(Plan(purpose, cancel, requests))

    def ask(self, client_order_id: str) -> None:
        """The venue did not tell all of an order."""
        self._asks.append(client_order_id)

    def tell(self, message: Message) -> None:
        """Something the other services hear once the changes are written."""
        self._messages.append(message)

    def alert(self, level: str, text: str) -> None:
        """Something a person should know; see `Alert`."""
        self.tell(Alert(time=self.time, level=level, text=text))

    def changed_positions(self) -> tuple[Position, ...]:
        """Return the positions as they are after the step."""
        return tuple(self._positions.values())

    def tell_position(self, position: Position, stop: Decimal | None, target: Decimal | None, state: str) -> None:
        """A position is to be shown."""
        self.tell(
            PositionChanged(time=self.time, position=position, stop_price=stop, target_price=target, stop_state=state)
        )

    def build(self) -> Step:
        """Return the finished step: `NOTHING` itself if nothing was collected."""
        changes = Changes(
            orders=tuple(self._orders),
            fills=tuple(self._fills),
            positions=tuple(self._positions.values()),
            closed=tuple(self._closed),
            trades=tuple(self._trades),
            ledger=tuple(self._ledger),
            outcomes=tuple(self._outcomes),
            entries=tuple(self._entries.items()),
            limit_marks=self._limit_marks,
        )
        step = Step(changes, tuple(self._messages), tuple(self._plans), tuple(self._asks))
        return NOTHING if step == NOTHING else step
