"""From signals, fills and prices to orders, positions and postings: one account and every rule that moves it.

Pure and synchronous. Each method returns a `Step`: what to write (in one transaction, before anything is sent), what to
tell the others, and which orders to send. The caller commits, then sends, then hands the venue's answers back.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal

import msgspec

from vela.domain.events import SymbolCandle, Tick
from vela.domain.instrument import Instrument
from vela.domain.money import ZERO
from vela.domain.order import TRANSITIONS, Order, OrderPurpose, OrderRequest, OrderStatus, OrderType, Side
from vela.domain.position import ExitReason, Position
from vela.domain.signal import Action, Signal
from vela.domain.trading_symbol import TradingSymbol
from vela.engine import positions as booking
from vela.engine.absent_orders import NEVER_ARRIVED, AbsentOrders, give_up, sent_again
from vela.engine.books import Books
from vela.engine.limits import Entry
from vela.engine.order_ids import stem
from vela.engine.protection import PROTECTIVE, can_be_stopped, covers, is_overrun, is_settling, protective_requests
from vela.engine.restraints import Restraints
from vela.engine.risk import Approved, EntryContext, Refusal, Refused, gate_entry
from vela.engine.rules import TradingRules
from vela.engine.sizing import entry_order
from vela.engine.step import NOTHING, Plan, Step, StepBuilder
from vela.ports.execution import OrderReport
from vela.ports.kill_switch import SwitchState
from vela.ports.record import AccountState


class OrderManager(Books):
    """One account in one quote currency."""

    def __init__(
        self,
        rules: TradingRules,
        instruments: Iterable[Instrument],
        state: AccountState,
        restraints: Restraints | None = None,
        stranded: Collection[TradingSymbol] = (),
    ) -> None:
        """Go on from `state`, as it was last committed.

        Args:
            rules: those in force.
            instruments: of all symbols.
            state: orders, positions and balances.
            restraints: None for an account without limits.
            stranded: symbols that can be traded no more: what is held of them stays as it is.
        """
        super().__init__(rules, instruments, state, stranded)
        self._restraints = restraints or Restraints()
        self._volumes: dict[TradingSymbol, float] = {}
        self._absent = AbsentOrders()
        self._ended = False

    # ------------------------------------------------------------------------------------------------------ starting

    def fund(self, time: int) -> Step:
        """Pay the initial capital in."""
        step = StepBuilder(time)
        step.book(self._account.fund(time))
        return step.build()

    def absent(self, client_order_ids: Collection[str], time: int) -> Step:
        """Take note that the venue never received these orders: proven of each, not assumed.

        An entry or exit waits for its signal to come again (`resume`) or a newer one. Protective orders that are still
        wanted are sent again as they were if all of them are among these; else, those of them that exist are replaced.
        """
        lost = [self._orders.pop(order_id) for order_id in client_order_ids if order_id in self._orders]
        if not lost:
            return NOTHING
        step = StepBuilder(time)
        self._absent.keep(lost)
        for symbol in sorted({order.symbol for order in lost}):
            unprotected = [order for order in lost if order.symbol == symbol and order.purpose in PROTECTIVE]
            self._protect_again(symbol, unprotected, step)
            if symbol in self._positions:
                self._sweep(next(order for order in lost if order.symbol == symbol), symbol, step)
            if symbol in self._positions:
                self._protect(symbol, step)
            self._show_positions(step, symbol)
        return step.build()

    def _protect_again(self, symbol: TradingSymbol, lost: Sequence[Order], step: StepBuilder) -> None:
        live = self._protective_ids(symbol)
        is_held_back = self._is_leaving(symbol) or symbol in self._stranded
        again = () if is_held_back else sent_again(lost, self._positions.get(symbol), self._instruments[symbol])
        for order in lost:
            if order.request in again:
                self._orders[order.client_order_id] = order
            else:
                give_up(order, step)
        if again:
            step.plan(OrderPurpose.STOP, live, again)

    def resume(self, client_order_id: str) -> Step:
        """Send an order again that provably never arrived, now that its signal has come again.

        An exit whose position has changed meanwhile (its stop was hit) is given up, and an entry that is held back now.
        """
        order = self._absent.take(client_order_id)
        if order is None:
            return NOTHING
        step = StepBuilder(order.updated_time)
        obstacle = self._obstacle(order, step)
        if obstacle is not None:
            give_up(order, step, obstacle)
            return step.build()
        self._orders[client_order_id] = order
        cancel = self._protective_ids(order.symbol) if order.purpose is OrderPurpose.EXIT else ()
        step.plan(order.purpose, cancel, (order.request,))
        return step.build()

    def _obstacle(self, order: Order, step: StepBuilder) -> str | None:
        if order.purpose is OrderPurpose.ENTRY:
            price = Decimal(repr(self._quotes.get(order.symbol, math.nan)))
            return self._held_back(order.symbol, price, order.request.quantity, step, is_counted=True)
        position = self._positions.get(order.symbol)
        is_same = position is not None and self._orderable(position) == order.request.quantity
        return None if is_same else NEVER_ARRIVED

    def expire_absent(self, before: int, time: int) -> Step:
        """Give up orders that never arrived and whose candle is older than `before` (ms UTC)."""
        step = StepBuilder(time)
        for order in self._absent.expire(before, step):
            if order.symbol in self._positions:
                self._look_after(order.symbol, step)
        self._show_positions(step)
        return step.build()

    def on_missing(self, held: Mapping[TradingSymbol, Decimal], time: int) -> Step:
        """Take note that the venue holds only so much of positions: what is gone is lost, what is there can be sold.

        Fees ate it, or its owner took it away. Where an order is under way, a fill may be: then nothing is concluded.
        """
        step = StepBuilder(time)
        for symbol, quantity in held.items():
            position = self._positions.get(symbol)
            if position is not None and quantity < position.quantity and not self._is_traded(symbol):
                self._lose(position, quantity, step)
                if symbol in self._positions:
                    self._sweep(None, symbol, step)
        self._show_positions(step)
        return step.build()

    def protect_all(self, time: int) -> Step:
        """Plan what positions lack: protective orders, or the exit that was wanted and did not come about."""
        step = StepBuilder(time)
        for symbol in tuple(self._positions):
            self._look_after(symbol, step)
        self._show_positions(step)
        return step.build()

    def _look_after(self, symbol: TradingSymbol, step: StepBuilder) -> None:
        position = self._positions[symbol]
        is_under_way = self._is_leaving(symbol) or self._absent.awaits_exit(symbol)
        if position.leaving is not None and not is_under_way and self._can_be_sold(position):
            self._plan_exit(position, position.leaving, step)
        else:
            self._protect(symbol, step)

    # ------------------------------------------------------------------------------------------------------ market

    def on_ticks(self, ticks: Sequence[Tick], time: int, waiting: Collection[TradingSymbol] = ()) -> Step:
        """Take new prices; a position whose stop is not at the venue is guarded here, on every price.

        Those of symbols that are `waiting` are closed later: nothing is to be sent on every price.
        """
        hit: dict[TradingSymbol, Position] = {}
        for tick in ticks:
            self._quotes[tick.symbol], self._volumes[tick.symbol] = tick.price, tick.volume
            position = self._positions.get(tick.symbol)
            is_guarded = position is not None and position.entry_time <= time and tick.symbol not in waiting
            if position is not None and is_guarded and self._guard_hit(position, tick):
                hit[tick.symbol] = position
        if not hit:
            return NOTHING
        step = StepBuilder(time)
        for position in hit.values():
            self._plan_exit(position, position.stop_reason, step)
        self._show_positions(step)
        return step.build()

    def on_candles(self, candles: Sequence[SymbolCandle], time: int) -> Step:
        """Take candles that closed at `time`: they mark the positions, and move best prices and stops."""
        for entry in candles:
            self._account.mark(entry.symbol, entry.candle.close)
        if not self._positions:
            return NOTHING
        step = StepBuilder(time)
        if self._restraints.watch_equity:
            self._restraints.mark(self._known_wallet(time), step)
        for symbol, candle in ((entry.symbol, entry.candle) for entry in candles):
            position = self._positions.get(symbol)
            if position is None or position.entry_time >= time:
                continue
            instrument = self._instruments[symbol]
            high, low = instrument.price_ticks(candle.high), instrument.price_ticks(candle.low)
            moved = booking.after_candle(position, high, low, self._rules, instrument)
            if moved is not position:
                self._positions[symbol] = moved
                step.position(moved)
                self._protect(symbol, step)
        self._show_positions(step)
        return step.build()

    def heed(self, switch: SwitchState, time: int) -> Step:
        """Take note of the kill switch; while it is on, take entries back and, if asked for, close what is held."""
        step = StepBuilder(time)
        self._restraints.heed(switch, self._known_wallet(time), self._entering(), step)
        for position in self.positions if switch.flatten and not self._ended else ():
            if position.leaving is None and self._can_be_sold(position):
                self._plan_exit(position, ExitReason.KILL_SWITCH, step)
        self._show_positions(step)
        return step.build()

    def on_market_ended(self) -> None:
        """No further price will come: nothing can be executed any more."""
        self._ended = True

    # ------------------------------------------------------------------------------------------------------ signals

    def on_signal(self, signal: Signal, time: int) -> Step:
        """Turn a signal into an order or a refusal."""
        step = StepBuilder(time)
        refusal = self._refusal_of_market(signal)
        if refusal is not None:
            step.outcome(signal, refusal=refusal)
        elif signal.action is Action.BUY:
            self._enter(signal, step)
        else:
            self._leave(signal, step)
        self._show_positions(step)
        return step.build()

    def refuse(self, signal: Signal, refusal: Refusal, time: int) -> Step:
        """Let a signal not pass, for a reason that the account itself does not know."""
        step = StepBuilder(time)
        step.outcome(signal, refusal=refusal)
        return step.build()

    def _refusal_of_market(self, signal: Signal) -> Refusal | None:
        if self._ended:
            return Refusal.MARKET_ENDED
        if signal.symbol not in self._instruments or signal.symbol not in self._quotes:
            return Refusal.NO_PRICE
        return None

    def _enter(self, signal: Signal, step: StepBuilder) -> None:
        instrument = self._instruments[signal.symbol]
        quote = max(1, instrument.price_ticks(self._quotes[signal.symbol]))
        entering_orders = self._entering()
        free, rules, equity = self._account.free(entering_orders), self._rules, self.wallet(step.time).equity
        price, steps = entry_order(rules, instrument, quote, self._volumes[signal.symbol], free, equity)
        held = {order.symbol for order in entering_orders} | set(self._positions)
        context = EntryContext(
            now=step.time,
            last_entry=self._entries.get(signal.symbol),
            has_position=signal.symbol in held,
            open_positions=len(held),
            regime=signal.regime,
            free=free,
            price=price,
            quantity=instrument.quantity(steps),
        )
        verdict = gate_entry(context, rules, instrument)
        if isinstance(verdict, Approved) and (reason := self._held_back(signal.symbol, price, context.quantity, step)):
            verdict = Refused(reason)
        if isinstance(verdict, Refused):
            step.outcome(signal, refusal=verdict.reason)
            return
        order_id = f"{stem(signal.symbol, signal.candle_time)}-E"
        request = OrderRequest(order_id, signal.symbol, Side.BUY, OrderType.MARKET, context.quantity)
        self._send(request, OrderPurpose.ENTRY, "signal", step, reserved=verdict.value, signal=signal)
        step.outcome(signal, order_id=order_id)
        step.plan(OrderPurpose.ENTRY, (), (request,))

    def _held_back(
        self, symbol: TradingSymbol, price: Decimal, quantity: Decimal, step: StepBuilder, *, is_counted: bool = False
    ) -> Refusal | None:
        close, wallet = self._account.close(symbol), self._known_wallet(step.time)
        return self._restraints.refusal(Entry(symbol, price, quantity, close, wallet, is_counted), step)

    def _leave(self, signal: Signal, step: StepBuilder) -> None:
        position = self._positions.get(signal.symbol)
        if position is None or not self._can_be_sold(position):
            step.outcome(signal, refusal=Refusal.NO_POSITION)
        elif self._is_leaving(signal.symbol):
            step.outcome(signal, refusal=Refusal.EXIT_PENDING)
        else:
            step.outcome(signal, order_id=self._plan_exit(position, ExitReason.SIGNAL, step))

    def _plan_exit(self, position: Position, reason: ExitReason, step: StepBuilder) -> str:
        # A new revision each time: should the venue refuse, the next try has an id of its own.
        position = msgspec.structs.replace(position, revision=position.revision + 1, leaving=reason)
        self._positions[position.symbol] = position
        step.position(position)
        order_id = f"{stem(position.symbol, position.entry_time)}-X{position.revision}"
        side, quantity = position.side.entry_side.opposite, self._orderable(position)
        request = OrderRequest(order_id, position.symbol, side, OrderType.MARKET, quantity)
        cancel = self._protective_ids(position.symbol)
        self._send(request, OrderPurpose.EXIT, reason.value, step)
        step.plan(OrderPurpose.EXIT, cancel, (request,))
        return order_id

    # ------------------------------------------------------------------------------------------------------ answers

    def on_reports(self, reports: Sequence[OrderReport]) -> Step:
        """Take orders' states from the venue: book their new fills, move them on, keep the positions protected.

        Reports may come twice, late or out of order. An order of which fills are missing is asked for.
        """
        known = [report for report in reports if report.client_order_id in self._orders]
        if not known:
            return NOTHING
        # Sales first: what they brought may have paid for the purchases.
        known.sort(key=lambda report: self._orders[report.client_order_id].request.side is Side.BUY)
        step = StepBuilder(max(report.time for report in known))
        symbols = {self._orders[report.client_order_id].symbol for report in known}
        changed = {o.symbol: o for o in [self._take(report, step) for report in known] if o is not None}
        for symbol in sorted(symbols & set(self._positions)):
            self._sweep(changed.get(symbol), symbol, step)
        for symbol in sorted(symbols & set(self._positions)):
            self._protect(symbol, step)
        self._show_positions(step, *changed)
        return step.build()

    def _take(self, report: OrderReport, step: StepBuilder) -> Order | None:
        """Return the order as it was before, if anything changed: it says why it was planned, not why it ended."""
        known = self._orders.get(report.client_order_id)
        if known is None:
            return None
        order = known
        for fill in report.fills:
            if fill.fill_id not in self._booked[order.client_order_id]:
                order = self._book(fill, order, step)
        status = self._status_after(order, report, step)
        if order is known and status is known.status and report.venue_order_id == known.venue_order_id:
            return None
        # Until it is over, the reason says why the order was planned: the trade it ends will carry it.
        reason = report.reason if status.is_final and report.reason else order.reason
        order = order.moved(status, report.time, venue_order_id=report.venue_order_id, reason=reason)
        step.order(order)
        self._keep(order)
        return known

    def _status_after(self, order: Order, report: OrderReport, step: StepBuilder) -> OrderStatus:
        status = report.status
        if report.filled_quantity is not None and report.filled_quantity > order.filled_quantity:
            # Nothing is over before all of it is booked.
            step.ask(order.client_order_id)
            status = OrderStatus.PARTIALLY_FILLED if order.filled_quantity else OrderStatus.ACCEPTED
        return status if status in TRANSITIONS[order.status] else order.status

    def on_refused(self, plan: Plan, reason: str, time: int, taken_back: Collection[str] = ()) -> Step:
        """Take note that none of the plan's new orders exists at the venue (any more: `taken_back`)."""
        step = StepBuilder(time)
        for request in plan.requests:
            order = self._orders.pop(request.client_order_id)
            was_placed = request.client_order_id in taken_back
            step.order(order.moved(OrderStatus.CANCELLED if was_placed else OrderStatus.REJECTED, time, reason=reason))
            if order.symbol in self._positions:
                self._sweep(order, order.symbol, step)
        self._show_positions(step, *(request.symbol for request in plan.requests))
        return step.build()

    def on_unresolved(self, plan: Plan, reason: str, time: int) -> Step:
        """Take note that nobody knows whether the plan was carried out: ask, never send again."""
        step = StepBuilder(time)
        for request in plan.requests:
            order = self._orders[request.client_order_id].moved(OrderStatus.UNKNOWN, time)
            self._orders[request.client_order_id] = order
            step.order(order)
            step.alert("warning", f"no certain answer to order {order.client_order_id}: {reason}"[:200])
        return step.build()

    # ------------------------------------------------------------------------------------------------------ inside

    def _sweep(self, ended: Order | None, symbol: TradingSymbol, step: StepBuilder) -> None:
        """Let go of what is left of a position when it is too little: its place is wanted for others.

        What could be sold now and not at its stop is sold now: no stop would be taken for it.
        """
        position, instrument = self._positions[symbol], self._instruments[symbol]
        quote, quantity = self._quotes.get(symbol), self._orderable(position)
        ticks = booking.entry_ticks(position, instrument) if quote is None else max(1, instrument.price_ticks(quote))
        if self._is_traded(symbol) or symbol in self._stranded:
            return
        # Where a part was sold, the trade ends for that part's reason; else because too little was bought.
        was_exit = ended is not None and ended.purpose is not OrderPurpose.ENTRY and position.exit_quantity
        reason = ExitReason(ended.reason) if was_exit and ended is not None else ExitReason.DUST
        if not instrument.is_orderable(instrument.price(ticks), quantity):
            self._write_off(position, reason, step)
        elif position.leaving is None and not can_be_stopped(position, instrument):
            self._plan_exit(position, reason, step)

    def _protect(self, symbol: TradingSymbol, step: StepBuilder) -> None:
        position = self._positions[symbol]
        live = self._protecting(symbol)
        instrument, quote = self._instruments[symbol], self._quotes.get(symbol)
        if symbol in self._stranded or self._is_leaving(symbol) or is_settling(live):
            return
        if covers(live, position, instrument, quote):
            return
        position = msgspec.structs.replace(position, revision=position.revision + 1)
        requests = protective_requests(position, instrument, quote)
        if not requests:
            return
        self._positions[symbol] = position
        step.position(position)
        for request in requests:
            is_stop = request.type is OrderType.STOP
            purpose = OrderPurpose.STOP if is_stop else OrderPurpose.TAKE_PROFIT
            reason = position.stop_reason if is_stop else ExitReason.TAKE_PROFIT
            self._send(request, purpose, reason.value, step)
        step.plan(OrderPurpose.STOP, tuple(order.client_order_id for order in live), requests)

    def _send(
        self,
        request: OrderRequest,
        purpose: OrderPurpose,
        reason: str,
        step: StepBuilder,
        *,
        reserved: Decimal = ZERO,
        signal: Signal | None = None,
    ) -> None:
        planned = Order(request, purpose, OrderStatus.PLANNED, step.time, step.time, reason=reason, reserved=reserved)
        if signal is not None:
            planned = msgspec.structs.replace(planned, strategy=signal.strategy, regime=signal.regime)
        # Intent and send are one transaction: from here on the order may exist, whatever happens to this process.
        sent = planned.moved(OrderStatus.SENT, step.time)
        self._restraints.sent(step.time)
        step.order(planned)
        step.order(sent)
        self._orders[request.client_order_id] = sent

    def _keep(self, order: Order) -> None:
        if order.is_live:
            self._orders[order.client_order_id] = order
        else:
            self._orders.pop(order.client_order_id, None)
            self._booked.pop(order.client_order_id, None)

    def _guard_hit(self, position: Position, tick: Tick) -> bool:
        symbol, instrument = position.symbol, self._instruments[position.symbol]
        return not self._is_leaving(symbol) and is_overrun(position, self._protecting(symbol), tick, instrument)
