"""orders: the only service that trades."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import cast

import msgspec
import structlog

from vela.domain.crashpoints import crashpoint
from vela.domain.errors import (
    CredentialsRefused,
    ExecutionError,
    OrderNotFound,
    OrderRefused,
    OrderUnresolved,
    VenueUnavailable,
)
from vela.domain.events import (
    Alert,
    AnyMessage,
    CandlesClosed,
    Envelope,
    MarketEnded,
    PricesMoved,
    SignalsRaised,
    Topic,
    WalletChanged,
)
from vela.domain.instrument import Instrument
from vela.domain.order import Order, OrderPurpose
from vela.domain.signal import Action, Signal, SignalOutcome
from vela.domain.trading_symbol import TradingSymbol
from vela.engine.limits import Limits
from vela.engine.order_manager import OrderManager
from vela.engine.protection import PROTECTIVE
from vela.engine.restraints import Restraints
from vela.engine.risk import Refusal
from vela.engine.rules import TradingRules
from vela.engine.step import NOTHING, Plan, Step
from vela.ports.bus import Bus
from vela.ports.clock import Clock
from vela.ports.execution import EventsMissed, Execution, OrderReport
from vela.ports.kill_switch import NEVER_SET, KillSwitch, SwitchState
from vela.ports.record import Changes, TradingRecord
from vela.services.announcer import Announcer
from vela.services.book_check import BookCheck, Obstacle
from vela.services.inquiries import Inquiries
from vela.services.looking_back import standing_prices
from vela.services.protection_watch import ProtectionWatch
from vela.services.reconciliation import Reconciliation
from vela.services.service import Service, run_together
from vela.services.turns import Turns

_LOOK_AFTER_SECONDS = 0.5
_LONGEST_LOOK_SECONDS = 1.0
_GAP_MS = 10_000  # who was away for longer has missed something
_LATE_MS = 15_000  # a signal that waited longer is about a price that is gone
_STALE_MS = 60_000  # so is a price
_LOOKED_BACK_AT = 100
_ENDING = 2  # the market's end is told before its last candles
_NO_CHANGES = Changes()

_log = structlog.get_logger("vela.orders")


@dataclass(frozen=True, slots=True)
class Safeguards:
    """What keeps entries back, whatever strategies want.

    Attributes:
        limits: on entries.
        kill_switch: stops them all.
        stranded: symbols that can be traded no more.
    """

    limits: Limits
    kill_switch: KillSwitch
    stranded: Collection[TradingSymbol] = ()


class OrdersService(Service):
    """Carries the order manager's steps out: commit, then send, then book the answer.

    Everything passes one gate, one at a time: messages, the venue's events, and what is looked after at rest.
    """

    name = "orders"

    def __init__(
        self,
        bus: Bus,
        wall_clock: Clock,
        clock: Clock,
        record: TradingRecord,
        execution: Execution,
        safeguards: Safeguards,
        rules: TradingRules,
        instruments: Iterable[Instrument],
    ) -> None:
        """`clock`: the market's time."""
        super().__init__(bus, wall_clock)
        self._clock = clock
        self._record = record
        self._announcer = Announcer(bus, record.outbox)
        self._execution = execution
        self._safeguards = safeguards
        self._switch = NEVER_SET
        self._rules = rules
        self._instruments = tuple(instruments)
        self._follow_up = execution.follow_up
        self._inquiries = Inquiries(self._follow_up)
        self._reconciliation = Reconciliation(execution, record)
        self._watch = ProtectionWatch()
        self._book = BookCheck(execution)
        self._manager: OrderManager
        self._restraints: Restraints
        self._turns = Turns()
        self._time = 0
        self._told = 0
        self._handled_until = -1
        self._handled: dict[tuple[TradingSymbol, str], int] = {}
        self._is_flat = False
        self._is_shut_out = False
        self._priced: dict[TradingSymbol, int] = {}
        self._reconcile_at = 0.0
        self._looked_after = 0
        bus.subscribe(self.name, Topic.TICKERS, Topic.CANDLES, Topic.SIGNALS)

    @property
    def _is_remote(self) -> bool:
        # A venue of which something can be missed.
        return self._follow_up.reconcile_seconds > 0

    async def start(self) -> None:
        """Load the account, find out what became of every order that was under way, protect what is held.

        Raises:
            VenueUnavailable: another instance trades on the account, or the venue does not answer.
        """
        account = await self._record.load()
        self._restraints = Restraints(self._safeguards.limits, account)
        stranded = self._safeguards.stranded
        self._manager = OrderManager(self._rules, self._instruments, account, self._restraints, stranded)
        self._handled_until = account.handled_until
        self._book.start(self._manager.positions)
        now = self._time = self._looked_after = self._clock.now()
        self._announcer.begin()
        await self._announcer.done()
        if not self._manager.is_funded:
            await self._follow(self._manager.fund(now))
        await self._look_back()
        now = self._time = max(now, self._time)
        crashpoint("P23")
        if self._is_remote:
            await self._reconcile(is_start=True)
        else:
            await self._ask(self._manager.live_orders)
        crashpoint("P23")
        await self._follow(self._manager.protect_all(now))
        crashpoint("P23")
        await self._heed()
        await self._follow(self._manager.tell_stranded(now))
        await self._show_wallet(now, marked=False)

    async def work(self) -> None:
        """Trade until cancelled."""
        try:
            await run_together(self.bus.consume(self.name, self._handle), self._listen(), self._keep_looking_after())
        finally:
            await self._announcer.stop()

    async def _look_back(self) -> None:
        """Learn where the market stood when the one before left, if the bus still knows it."""
        for envelope in standing_prices(await self.bus.handled(self.name, Topic.TICKERS, most=_LOOKED_BACK_AT)):
            self._time, self._told = envelope.message.time, envelope.published
            if isinstance(envelope.message, PricesMoved):
                await self._on_prices(envelope.message)
        for envelope in await self.bus.handled(self.name, Topic.CANDLES, most=_ENDING):
            message = envelope.message
            if isinstance(message, CandlesClosed):
                self._time = message.time
                await self._follow(self._manager.on_candles(message.candles, message.time))
            elif isinstance(message, MarketEnded):
                self._manager.on_market_ended()

    # --------------------------------------------------------------------------------------------- what it is told of

    async def _handle(self, envelope: Envelope) -> None:
        message = envelope.message
        async with self._turns.turn():
            # The message's time, not the clock's: a handler that lags must not act in the future.
            self._time, self._told = message.time, envelope.published
            if isinstance(message, PricesMoved):
                await self._on_prices(message)
            elif isinstance(message, CandlesClosed):
                await self._on_candles(message)
            elif isinstance(message, SignalsRaised):
                for signal in _in_order(message.signals):
                    await self._on_signal(signal, message.time)
            elif isinstance(message, MarketEnded):
                self._manager.on_market_ended()

    async def _on_prices(self, prices: PricesMoved) -> None:
        self._priced.update((tick.symbol, self._told) for tick in prices.ticks)
        await self._follow(self._manager.on_reports(await self._execution.on_prices(prices)))
        self._book.priced(prices.ticks)
        waiting = self._book.waiting(self._manager.positions)
        await self._follow(self._manager.on_ticks(prices.ticks, prices.time, waiting))

    async def _on_candles(self, message: CandlesClosed) -> None:
        await self._follow(self._manager.on_candles(message.candles, message.time))
        await self._show_wallet(message.time, marked=True)
        await self._ask(self._inquiries.due(self._manager.live_orders, message.time))

    async def _on_signal(self, signal: Signal, time: int) -> None:
        crashpoint("P03")
        if signal.action is Action.BUY:
            await self._heed()
        handled = await self._outcome(signal)
        if handled is None:
            await self._follow(self._manager.expire_absent(time, time))
            obstacle = self._obstacle(signal) if self._is_remote else None
            refused = None if obstacle is None else self._manager.refuse(signal, obstacle, time)
            await self._follow(refused or self._manager.on_signal(signal, time))
        elif handled.client_order_id is not None:
            await self._follow(self._manager.resume(handled.client_order_id))

    async def _outcome(self, signal: Signal) -> SignalOutcome | None:
        """Return what became of a signal that comes again; a new one is told by its time, without a look at the record.

        Buses deliver at least once, and after a restart the market is taken up a little earlier than the account.
        """
        key = signal.symbol, signal.strategy
        newest = self._handled.get(key, self._handled_until)
        self._handled[key] = max(newest, signal.candle_time)
        if signal.candle_time > newest:
            return None
        return await self._record.outcome(signal.symbol, signal.strategy, signal.candle_time)

    def _obstacle(self, signal: Signal) -> Refusal | None:
        """Say what, beyond the account, speaks against an entry; nothing ever speaks against an exit."""
        if signal.action is not Action.BUY:
            return None
        now = self.wall_clock.now()
        if now - self._told > _LATE_MS:
            return Refusal.LATE
        if now - self._priced.get(signal.symbol, 0) > _STALE_MS:
            return Refusal.NO_PRICE
        return Refusal.VENUE if self._is_shut_out else None

    async def _listen(self) -> None:
        async for event in self._execution.events():
            async with self._turns.turn():
                self._time = self._clock.now()
                if isinstance(event, EventsMissed):
                    await self._reconcile()
                else:
                    if event.fills:
                        crashpoint("P11")
                    await self._follow(self._manager.on_reports([event]))

    # ------------------------------------------------------------------------------------------- what it looks after

    async def _keep_looking_after(self) -> None:
        while True:
            await self.wall_clock.sleep(_LOOK_AFTER_SECONDS)
            await self.look_after()

    async def look_after(self) -> None:
        """Heed the kill switch; where something can be missed, see to it that it is not."""
        async with self._turns.turn():
            if self._is_remote:
                self._time = self._clock.now()
            await self._heed()
            if self._is_remote:
                await self._look_at_venue()

    async def _look_at_venue(self) -> None:
        """Ask what is still to be asked, give up what never arrived, compare, and try again what protects."""
        now, monotonic = self._clock.now(), self.wall_clock.monotonic()
        if now - self._looked_after > _GAP_MS:  # this machine was asleep
            self._reconcile_at = monotonic
        self._time = self._looked_after = now
        await self._ask(self._inquiries.due(self._manager.live_orders, now))
        await self._follow(self._manager.expire_absent(now, now))
        if monotonic >= self._reconcile_at:
            await self._reconcile()
        elif self._watch.is_retry_due(monotonic):
            await self._follow(self._manager.protect_all(now))
        for text in self._watch.alarms(self._manager, monotonic):
            await self.bus.publish(Alert(time=now, level="critical", text=text))
        self._looked_after = self._clock.now()

    async def _heed(self) -> None:
        """Look at the kill switch and do what it asks for."""
        self._switch = await self._read_switch()
        await self._follow(self._manager.heed(self._switch, self._time))
        if self._switch.flatten and self._watch.is_retry_due(self.wall_clock.monotonic()):
            await self._follow(self._manager.protect_all(self._time))
        self.detail = self._restraints.summary

    async def _read_switch(self) -> SwitchState:
        try:
            async with asyncio.timeout(_LONGEST_LOOK_SECONDS):
                return await self._safeguards.kill_switch.state()
        except Exception as e:  # noqa: BLE001  whatever keeps it from being read, nobody can say that it is off
            why = f"it cannot be read: {str(e) or type(e).__name__}"[:200]
            return msgspec.structs.replace(self._switch, is_on=True, reason=why)

    async def _reconcile(self, *, is_start: bool = False) -> None:
        """Compare with the venue, ask for what differs, and put right what can be put right."""
        self._reconcile_at = self.wall_clock.monotonic() + self._follow_up.reconcile_seconds
        try:
            now = self.wall_clock.monotonic()
            findings = await self._reconciliation.look(self._manager.live_orders, self._manager.positions, now)
        except ExecutionError as e:
            if is_start:
                raise VenueUnavailable(f"the account cannot be compared with the venue: {e}") from e
            self._is_shut_out |= isinstance(e, CredentialsRefused)
            _log.warning("not reconciled", error=str(e))
            return
        self._is_shut_out = False
        if is_start and findings.strangers:
            raise VenueUnavailable(
                f"another instance trades on this account: order {findings.strangers[0]} is none of ours; "
                "accepted: one instance per account"
            )
        await self._follow(self._manager.on_reports(findings.listed))
        await self._ask(findings.doubtful)
        for client_order_id in findings.given_up:
            await self._withdraw(client_order_id)
        await self._follow(self._manager.on_missing(findings.missing, self._time))
        for text in findings.alarms:
            await self.bus.publish(Alert(time=self._time, level="critical", text=text))
        await self._follow(self._manager.protect_all(self._time))

    async def _withdraw(self, client_order_id: str) -> None:
        # It was given up as never received, and has come up since.
        _log.warning("order came up late, taken back", order=client_order_id)
        try:
            await self._execution.cancel(client_order_id)
        except ExecutionError as e:
            _log.warning("late order not taken back", order=client_order_id, error=str(e))

    async def _ask(self, orders: Iterable[Order]) -> None:
        asked = {order.client_order_id: order for order in orders}
        reports, absent = await self._states(asked)
        # All at once: of a pair, the fill of one is why the other is gone.
        await self._follow(self._manager.on_reports(reports))
        final = [one for one in absent if self._inquiries.is_absence_final(asked[one], self._time)]
        if final:
            # Once more: whatever was placed for the one before may have been placed together with this one.
            reports, still_absent = await self._states(final)
            await self._follow(self._manager.on_reports(reports))
            await self._follow(self._manager.absent(still_absent, self._time))

    async def _states(self, client_order_ids: Iterable[str]) -> tuple[list[OrderReport], list[str]]:
        """Return the venue's reports, and the orders that it says it does not know."""
        reports, absent = [], []
        for client_order_id in client_order_ids:
            try:
                reports.append(await self._execution.order(client_order_id))
                self._inquiries.told(client_order_id)
            except OrderNotFound:
                absent.append(client_order_id)
            except ExecutionError as e:
                _log.warning("order unresolved", order=client_order_id, error=str(e))
        return reports, absent

    # ------------------------------------------------------------------------------------------------- what it does

    async def _follow(self, step: Step) -> None:
        """Commit a step, send its orders, follow what their answers ask for, until nothing is left; tell of it all."""
        if step is NOTHING:
            return
        steps, filled = deque([step]), 0
        while steps:
            step = steps.popleft()
            await self._commit(step)
            for client_order_id in step.asks:
                self._inquiries.lacks_fills(client_order_id)
            if step.changes.fills:
                filled = step.changes.fills[-1].time
                crashpoint("P21" if _is_partial_exit(step) else "P14")
            for plan in step.plans:
                steps.extend(await self._send(plan))
        await self._announcer.done()
        if filled:
            await self._show_wallet(filled, marked=False)

    async def _commit(self, step: Step) -> None:
        """Write a step and what is to be told of it; that is told while its orders are on their way."""
        if step.changes == _NO_CHANGES:  # nothing that would have to be told again after a crash
            await self._announcer.done()
            for message in step.messages:
                await self.bus.publish(message)
            return
        # Every message of a step is one of `AnyMessage`.
        messages = cast("tuple[AnyMessage, ...]", step.messages)
        await self._record.commit(msgspec.structs.replace(step.changes, messages=messages))
        crashpoint("P13" if step.changes.fills else "P10")
        if messages:
            self._announcer.begin()

    async def _send(self, plan: Plan) -> list[Step]:
        obstacle = await self._book.obstacle(plan) if self._is_remote else None
        if obstacle is not None:
            return [await self._wait_for_book(plan, obstacle)]
        is_protective = plan.purpose in PROTECTIVE
        orders = [request.client_order_id for request in plan.requests]
        crashpoint("P15" if is_protective else "P05")
        try:
            reports = await self._transmit(plan)
            crashpoint("P17" if is_protective else "P09")
        except OrderNotFound as e:
            # An order to cancel was gone already, so nothing was placed: see what became of it before anything else.
            refused = self._manager.on_refused(plan, str(e), self._time)
            return [refused, self._manager.on_reports((await self._states(plan.cancel))[0])]
        except OrderRefused as e:
            self._book.failed(plan)
            _log.warning("order refused", orders=orders, reason=str(e))
            self._is_shut_out = isinstance(e, CredentialsRefused)
            self._watch.failed(e, self.wall_clock.monotonic())
            refused = self._manager.on_refused(plan, str(e), self._time, e.taken_back)
            return [refused, self._manager.on_reports((await self._states(plan.cancel))[0])]
        except OrderUnresolved as e:
            self._book.failed(plan)
            _log.warning("order unresolved", orders=orders, reason=str(e))
            unresolved = self._manager.on_unresolved(plan, str(e), self._time)
            return [unresolved, self._manager.on_reports((await self._states(plan.cancel))[0])]
        self._is_shut_out = False
        self._book.succeeded(plan)
        return [self._manager.on_reports(reports)]

    async def _wait_for_book(self, plan: Plan, obstacle: Obstacle) -> Step:
        # As if the venue had refused it: what rests stays, and it is tried again after a while.
        self._watch.failed(OrderRefused(obstacle.text), self.wall_clock.monotonic())
        if obstacle.is_new:
            await self.bus.publish(Alert(time=self._time, level="critical", text=obstacle.text))
        return self._manager.on_refused(plan, obstacle.text, self._time)

    async def _transmit(self, plan: Plan) -> tuple[OrderReport, ...]:
        if not plan.requests:
            return tuple([await self._execution.cancel(order_id) for order_id in plan.cancel])
        if plan.cancel:
            return await self._execution.replace(plan.cancel, *plan.requests)
        return await self._execution.submit(*plan.requests)

    async def _show_wallet(self, time: int, *, marked: bool) -> None:
        # Without a position nothing moves between fills, and those are shown as they come.
        if marked and self._is_flat and not self._manager.positions:
            return
        self._is_flat = not self._manager.positions
        wallet = self._manager.wallet(time)
        await self.bus.publish(WalletChanged(time=time, wallet=wallet, marked=marked))


def _in_order(signals: Iterable[Signal]) -> list[Signal]:
    # Exits first: they free what entries need. Then by confidence, then by symbol.
    return sorted(signals, key=lambda s: (s.action is not Action.SELL, -s.confidence, s.symbol))


def _is_partial_exit(step: Step) -> bool:
    return any(
        order.purpose is OrderPurpose.EXIT and 0 < order.filled_quantity < order.request.quantity
        for order in step.changes.orders
    )
