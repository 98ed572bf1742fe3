"""orders: the only service that trades."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

import structlog

from vela.domain.errors import OrderNotFound, OrderRefused, OrderUnresolved
from vela.domain.events import (
    CandlesClosed,
    Envelope,
    MarketEnded,
    PricesMoved,
    SignalsRaised,
    Topic,
    WalletChanged,
)
from vela.domain.instrument import Instrument
from vela.domain.order import Order, OrderStatus
from vela.domain.signal import Action, Signal
from vela.engine.order_manager import OrderManager
from vela.engine.rules import TradingRules
from vela.engine.step import NOTHING, Plan, Step
from vela.ports.bus import Bus
from vela.ports.clock import Clock
from vela.ports.execution import Execution, OrderReport
from vela.ports.record import TradingRecord
from vela.services.service import Service

_log = structlog.get_logger("vela.orders")


class OrdersService(Service):
    """Carries the order manager's steps out: commit, then send, then book the answer.

    Everything passes one queue, in order.
    """

    name = "orders"

    def __init__(
        self,
        bus: Bus,
        wall_clock: Clock,
        clock: Clock,
        record: TradingRecord,
        execution: Execution,
        rules: TradingRules,
        instruments: Iterable[Instrument],
    ) -> None:
        """`clock`: the market's time."""
        super().__init__(bus, wall_clock)
        self._clock = clock
        self._record = record
        self._execution = execution
        self._rules = rules
        self._instruments = tuple(instruments)
        self._manager: OrderManager
        self._time = 0
        self._handled_until = -1
        self._is_flat = False
        bus.subscribe(self.name, Topic.TICKERS, Topic.CANDLES, Topic.SIGNALS)

    async def start(self) -> None:
        """Load the account, find out what became of every order that was under way, protect what is held."""
        account = await self._record.load()
        self._manager = OrderManager(self._rules, self._instruments, account)
        self._handled_until = account.handled_until
        now = self._time = self._clock.now()
        if not self._manager.is_funded:
            await self._follow(self._manager.fund(now))
        await self._ask(self._manager.live_orders)
        await self._follow(self._manager.protect_all(now))
        await self._show_wallet(now, marked=False)

    async def work(self) -> None:
        """Trade until cancelled."""
        await self.bus.consume(self.name, self._handle)

    async def _handle(self, envelope: Envelope) -> None:
        message = envelope.message
        # The message's time, not the clock's: a handler that lags must not act in the future.
        self._time = message.time
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
        await self._follow(self._manager.on_reports(await self._execution.on_prices(prices)))
        await self._follow(self._manager.on_ticks(prices.ticks, prices.time))

    async def _on_candles(self, message: CandlesClosed) -> None:
        await self._follow(self._manager.on_candles(message.candles, message.time))
        await self._show_wallet(message.time, marked=True)
        await self._ask([o for o in self._manager.live_orders if o.status in {OrderStatus.SENT, OrderStatus.UNKNOWN}])

    async def _on_signal(self, signal: Signal, time: int) -> None:
        handled = None
        if signal.candle_time <= self._handled_until:
            # Only after a restart: the market is taken up a little earlier than the account.
            handled = await self._record.outcome(signal.symbol, signal.strategy, signal.candle_time)
        if handled is None:
            await self._follow(self._manager.expire_absent(time, time))
            await self._follow(self._manager.on_signal(signal, time))
        elif handled.client_order_id is not None:
            await self._follow(self._manager.resume(handled.client_order_id))

    async def _ask(self, orders: Iterable[Order]) -> None:
        reports, absent = await self._states(order.client_order_id for order in orders)
        # All at once: of a pair, the fill of one is why the other is gone.
        await self._follow(self._manager.on_reports(reports))
        for client_order_id in absent:
            # Once more: whatever was placed for the one before may have been placed together with this one.
            reports, still_absent = await self._states([client_order_id])
            await self._follow(self._manager.on_reports(reports))
            for one in still_absent:
                await self._follow(self._manager.absent(one, self._time))

    async def _follow(self, step: Step) -> None:
        """Commit a step, tell it, send its orders, and follow what their answers ask for, until nothing is left."""
        if step is NOTHING:
            return
        steps = deque([step])
        while steps:
            step = steps.popleft()
            await self._record.commit(step.changes)
            for message in step.messages:
                await self.bus.publish(message)
            for plan in step.plans:
                steps.extend(await self._send(plan))
            if step.changes.fills:
                await self._show_wallet(step.changes.fills[-1].time, marked=False)

    async def _send(self, plan: Plan) -> list[Step]:
        orders = [request.client_order_id for request in plan.requests]
        try:
            reports = await self._transmit(plan)
        except OrderNotFound as e:
            # An order to cancel was gone already, so nothing was placed: see what became of it before anything else.
            refused = self._manager.on_refused(plan, str(e), self._time)
            return [refused, self._manager.on_reports((await self._states(plan.cancel))[0])]
        except OrderRefused as e:
            _log.warning("order refused", orders=orders, reason=str(e))
            return [self._manager.on_refused(plan, str(e), self._time)]
        except OrderUnresolved as e:
            _log.warning("order unresolved", orders=orders, reason=str(e))
            unresolved = self._manager.on_unresolved(plan, str(e), self._time)
            return [unresolved, self._manager.on_reports((await self._states(plan.cancel))[0])]
        return [self._manager.on_reports(reports)]

    async def _transmit(self, plan: Plan) -> tuple[OrderReport, ...]:
        if plan.cancel:
            return await self._execution.replace(plan.cancel, *plan.requests)
        return await self._execution.submit(*plan.requests)

    async def _states(self, client_order_ids: Iterable[str]) -> tuple[list[OrderReport], list[str]]:
        """Return the venue's reports, and the orders that it says it does not know."""
        reports, absent = [], []
        for client_order_id in client_order_ids:
            try:
                reports.append(await self._execution.order(client_order_id))
            except OrderNotFound:
                absent.append(client_order_id)
            except OrderUnresolved as e:
                _log.warning("order unresolved", order=client_order_id, error=str(e))
        return reports, absent

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
