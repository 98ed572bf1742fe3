"""A tiny venue and the caller of an order manager: commits, sends, hands the answers back."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from vela.domain.errors import OrderNotFound, OrderRefused, OrderUnresolved
from vela.domain.events import OrderChanged, OrderFilled, PositionChanged, PositionClosed, SignalHandled, Tick
from vela.domain.fill import Fill
from vela.domain.instrument import Instrument
from vela.domain.order import TRANSITIONS, Order, OrderPurpose, OrderRequest, OrderStatus, OrderType, Side
from vela.domain.position import Position, Trade
from vela.domain.signal import SignalOutcome
from vela.domain.trading_symbol import TradingSymbol
from vela.engine.ledger import check_balanced
from vela.engine.limits import Limits
from vela.engine.order_manager import OrderManager
from vela.engine.restraints import Restraints
from vela.engine.rules import TradingRules
from vela.engine.step import NOTHING, Plan, Step
from vela.ports.execution import OrderReport
from vela.ports.kill_switch import NEVER_SET, SwitchState
from vela.ports.record import AccountState, LimitMarks

EMPTY = AccountState((), (), {}, {})
OPEN = {OrderStatus.ACCEPTED, OrderStatus.PARTIALLY_FILLED}


@dataclass
class Resting:
    request: OrderRequest
    number: int
    status: OrderStatus
    time: int
    fills: list[Fill] = field(default_factory=list)
    reason: str = ""

    @property
    def left(self) -> Decimal:
        return self.request.quantity - sum((fill.quantity for fill in self.fills), Decimal(0))


class Venue:
    """Executes as it is told to: `market` and `protective` say what becomes of the next orders of their kind.

    fill, partial, accept, refuse; lost: never arrives; answer_lost: arrives, but nobody hears of it.
    """

    def __init__(self, fee_rate: Decimal) -> None:
        self.fee_rate = fee_rate
        self.takes_fee_in_base = False
        self.market, self.protective = "fill", "accept"
        self.prices: dict[TradingSymbol, Decimal] = {}
        self.orders: dict[str, Resting] = {}
        self.holdings: dict[TradingSymbol, Decimal] = {}
        self.time = 0
        self._fills = 0

    def transmit(self, plan: Plan) -> tuple[OrderReport, ...]:
        is_market = bool(plan.requests) and plan.requests[0].type is OrderType.MARKET
        kind = self.market if is_market else self.protective
        if kind == "lost":
            raise OrderUnresolved("no answer")
        gone = [order_id for order_id in plan.cancel if not self.is_open(order_id)]
        if gone:
            raise OrderNotFound(f"{gone} not open")
        if kind == "refuse":
            raise OrderRefused("not today")
        for order_id in plan.cancel:
            self.end(order_id, OrderStatus.CANCELLED)
        for request in plan.requests:
            assert request.client_order_id not in self.orders
            self.orders[request.client_order_id] = Resting(request, len(self.orders), OrderStatus.ACCEPTED, self.time)
            if kind in {"fill", "partial"} and request.type is OrderType.MARKET:
                self.execute(request.client_order_id, request.quantity * Decimal("0.4" if kind == "partial" else 1))
        if kind == "answer_lost":
            raise OrderUnresolved("no answer")
        return tuple(map(self.report, (*plan.cancel, *(r.client_order_id for r in plan.requests))))

    def is_open(self, order_id: str) -> bool:
        return order_id in self.orders and self.orders[order_id].status in OPEN

    def open_orders(self, symbol: TradingSymbol, *kinds: OrderType) -> list[Resting]:
        return [
            resting
            for resting in self.orders.values()
            if resting.status in OPEN and resting.request.symbol == symbol and resting.request.type in kinds
        ]

    def execute(self, order_id: str, quantity: Decimal, price: Decimal | None = None) -> None:
        resting = self.orders[order_id]
        request, held = resting.request, self.holdings.get(resting.request.symbol, Decimal(0))
        quantity = min(quantity.quantize(Decimal("0.00001")), resting.left)
        if request.side is Side.SELL:
            quantity = min(quantity, held)
        if quantity > 0:
            price = price or self.prices[request.symbol]
            self._fills += 1
            fee, asset = price * quantity * self.fee_rate, request.symbol.quote.value
            if self.takes_fee_in_base and request.side is Side.BUY:
                fee, asset = quantity * self.fee_rate, request.symbol.base
            head = (f"f{self._fills}", order_id, request.symbol, request.side)
            resting.fills.append(Fill(*head, price, quantity, fee, asset, self.time))
            self.holdings[request.symbol] = held + base_moved(resting.fills[-1])
            resting.status = OrderStatus.PARTIALLY_FILLED if resting.left else OrderStatus.FILLED
            resting.time = self.time
        if resting.status is OrderStatus.FILLED and request.group is not None:
            for other in self.open_orders(request.symbol, OrderType.STOP, OrderType.LIMIT):
                if other.request.group == request.group:
                    self.end(other.request.client_order_id, OrderStatus.CANCELLED)
        if request.side is Side.SELL and self.holdings.get(request.symbol, Decimal(0)) < Decimal("0.00001"):
            self.end_rest(request.symbol)

    def end_rest(self, symbol: TradingSymbol) -> None:
        # Nothing is left to sell.
        for other in self.open_orders(symbol, *OrderType):
            if other.request.side is Side.SELL:
                self.end(other.request.client_order_id, OrderStatus.EXPIRED)

    def end(self, order_id: str, status: OrderStatus) -> None:
        self.orders[order_id].status, self.orders[order_id].time = status, self.time

    def report(self, order_id: str) -> OrderReport:
        if order_id not in self.orders:
            raise OrderNotFound(order_id)
        resting = self.orders[order_id]
        return OrderReport(
            order_id, str(resting.number), resting.status, tuple(resting.fills), resting.time, resting.reason
        )


def base_moved(fill: Fill) -> Decimal:
    """Return what a fill put into (+) or took out of (-) the holdings."""
    if fill.side is Side.SELL:
        return -fill.quantity
    return fill.quantity - (fill.fee if fill.fee_asset == fill.symbol.base else 0)


class Desk:
    """Drives an order manager as the orders service does, and keeps the record that it asks for."""

    def __init__(self, rules: TradingRules, instruments: Iterable[Instrument], limits: Limits | None = None) -> None:
        self.rules, self.instruments, self.limits = rules, tuple(instruments), limits or Limits()
        self.venue = Venue(rules.fee_rate)
        self.manager = OrderManager(rules, self.instruments, EMPTY, Restraints(self.limits))
        self.limit_marks: LimitMarks | None = None
        self.switch = NEVER_SET
        self.time = 0
        self.orders: dict[str, Order] = {}
        self.positions: dict[TradingSymbol, Position] = {}
        self.balances: dict[tuple[str, str], Decimal] = {}
        self.entries: dict[TradingSymbol, int] = {}
        self.outcomes: list[SignalOutcome] = []
        self.fills: list[Fill] = []
        self.trades: list[Trade] = []
        self.refused: set[TradingSymbol] = set()
        self.steps: list[Step] = []
        self._booked: set[str] = set()
        self.follow(self.manager.fund(0))

    def advance(self, milliseconds: int = 1_000) -> int:
        self.time += milliseconds
        self.venue.time = self.time
        return self.time

    def quote(self, symbol: TradingSymbol, price: str | Decimal) -> Step:
        self.venue.prices[symbol] = Decimal(price)
        tick = Tick(symbol, float(price), float(price), float(price))
        return self.follow(self.manager.on_ticks([tick], self.time))

    def poll(self) -> Step:
        known = [o.client_order_id for o in self.manager.live_orders if o.client_order_id in self.venue.orders]
        return self.follow(self.manager.on_reports([self.venue.report(order_id) for order_id in known]))

    def ordered(self, index: int = -1) -> str:
        order_id = self.outcomes[index].client_order_id
        assert order_id is not None
        return order_id

    def ask_unknown(self) -> None:
        self.ask(*(o.client_order_id for o in self.manager.live_orders if o.status is OrderStatus.UNKNOWN))

    def ask(self, *order_ids: str) -> None:
        reports, absent = [], []
        for order_id in order_ids:
            try:
                reports.append(self.venue.report(order_id))
            except OrderNotFound:
                absent.append(order_id)
        self.follow(self.manager.on_reports(reports))
        self.follow(self.manager.absent(absent, self.time))

    def restart(self) -> None:
        live = tuple(order for order in self.orders.values() if order.is_live)
        booked = {
            name: frozenset(fill.fill_id for fill in self.fills if fill.client_order_id == name)
            for name in (order.client_order_id for order in live)
        }
        state = AccountState(
            live,
            tuple(self.positions.values()),
            dict(self.balances),
            dict(self.entries),
            booked=booked,
            limit_marks=self.limit_marks,
            sent=tuple(sorted(order.created_time for order in self.orders.values())),
        )
        self.manager = OrderManager(self.rules, self.instruments, state, Restraints(self.limits, state))
        self.ask(*(order.client_order_id for order in self.manager.live_orders))
        self.follow(self.manager.protect_all(self.time))
        self.heed()

    def turn(self, *, on: bool, flatten: bool = False, reset: bool = False, reason: str = "") -> Step:
        resets = self.switch.resets + reset
        self.switch = SwitchState(self.switch.number + 1, 0, on, on and flatten, reason, "test", resets)
        return self.heed()

    def heed(self) -> Step:
        return self.follow(self.manager.heed(self.switch, self.time))

    def follow(self, step: Step) -> Step:
        steps, rounds = deque([step]), 0
        while steps:
            current = steps.popleft()
            if current is NOTHING:
                continue
            rounds += 1
            assert rounds < 30, "the desk and the venue go round in circles"
            self.steps.append(current)
            self.commit(current)
            for plan in current.plans:
                steps.extend(self.send(plan))
        return step

    def send(self, plan: Plan) -> list[Step]:
        protected = {request.symbol for request in plan.requests if request.type is not OrderType.MARKET}
        self.refused -= protected
        try:
            return [self.manager.on_reports(self.venue.transmit(plan))]
        except OrderUnresolved as error:
            return [self.manager.on_unresolved(plan, str(error), self.time)]
        except OrderRefused as error:
            self.refused |= protected
            return [self.manager.on_refused(plan, str(error), self.time)]
        except OrderNotFound as error:
            self.refused |= protected
            refused = self.manager.on_refused(plan, str(error), self.time)
            known = [self.venue.report(order_id) for order_id in plan.cancel if order_id in self.venue.orders]
            return [refused, self.manager.on_reports(known)]

    def commit(self, step: Step) -> None:
        changes = step.changes
        for order in changes.orders:
            before = self.orders.get(order.client_order_id)
            if order.status is OrderStatus.PLANNED:
                assert before is None, f"{order.client_order_id} was planned twice"
            else:
                assert before is not None
                assert order.status is before.status or order.status in TRANSITIONS[before.status]
            self.orders[order.client_order_id] = order
        for fill in changes.fills:
            assert fill.fill_id not in self._booked
            self._booked.add(fill.fill_id)
        for transaction in changes.ledger:
            check_balanced(transaction)
            for posting in transaction.postings:
                key = (posting.account, posting.asset)
                self.balances[key] = self.balances.get(key, Decimal(0)) + posting.amount
        self.positions |= {position.symbol: position for position in changes.positions}
        for symbol in changes.closed:
            self.positions.pop(symbol, None)
        self.entries |= dict(changes.entries)
        self.limit_marks = changes.limit_marks or self.limit_marks
        self.outcomes += changes.outcomes
        self.fills += changes.fills
        self.trades += changes.trades
        check_messages(step)


def check_messages(step: Step) -> None:
    """Everything written is told once, in its order; the positions as they are now come last."""
    changes, messages = step.changes, step.messages
    assert [m.order for m in messages if isinstance(m, OrderChanged)] == list(changes.orders)
    assert [m.fill for m in messages if isinstance(m, OrderFilled)] == list(changes.fills)
    assert [m.trade for m in messages if isinstance(m, PositionClosed)] == list(changes.trades)
    assert [m.outcome for m in messages if isinstance(m, SignalHandled)] == list(changes.outcomes)
    shown = [isinstance(m, PositionChanged) for m in messages]
    assert shown == sorted(shown)
    told = [m.position for m in messages if isinstance(m, PositionChanged)]
    assert len({position.symbol for position in told}) == len(told)
    assert set(changes.positions) <= set(told)


def protective(orders: Iterable[Order], symbol: TradingSymbol) -> list[Order]:
    return [o for o in orders if o.symbol == symbol and o.purpose in {OrderPurpose.STOP, OrderPurpose.TAKE_PROFIT}]
