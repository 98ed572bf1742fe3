"""One process of a life: bus, supervisor and orders service, over the record that all of them share."""

from __future__ import annotations

from collections.abc import Sequence

from tests.faults.seeded.nature import Nature
from tests.faults.seeded.store import Store
from tests.faults.seeded.virtual_time import VirtualClock
from tests.faults.seeded.wire import Died, Pulse, Wire

from vela.adapters.bus.memory import MemoryBus
from vela.domain.errors import VelaError
from vela.domain.events import Message
from vela.domain.signal import SignalOutcome
from vela.domain.trading_symbol import TradingSymbol
from vela.engine.limits import Limits
from vela.ports.outbox import Outbox, Outgoing
from vela.ports.record import AccountState, Changes, TradingRecord
from vela.services.orders import OrdersService, Safeguards
from vela.services.service import Service
from vela.services.supervisor import Group, Supervisor


class Process:
    """Starts, trades, and ends one way or the other."""

    def __init__(self, nature: Nature, store: Store, wire: Wire, clock: VirtualClock) -> None:
        self.pulse = Pulse()
        self.bus = MemoryBus(clock)
        self._nature, self._store, self._wire, self._clock = nature, store, wire, clock
        self._supervisor = _Supervisor(self.bus, clock)

    async def start(self) -> bool:
        """Come up, or not; returns whether it did."""
        await self._wire.open(self.pulse)
        try:
            await self._supervisor.start(Group("trading", self._build, is_essential=True))
        except Died:
            return False
        except VelaError as problem:
            self._supervisor.failures.append(problem)
            self.pulse.is_alive = False
            return False
        return True

    async def say(self, message: Message) -> None:
        """Tell the service something, if it is there."""
        if self.is_up:
            await self.bus.publish(message)

    @property
    def is_up(self) -> bool:
        """Whether it runs and has not been given up."""
        tasks = self._supervisor._tasks
        return self.pulse.is_alive and bool(tasks) and not any(task.done() for task in tasks)

    @property
    def troubles(self) -> list[Exception]:
        """What its services died of, and what kept it from starting."""
        return self._supervisor.failures

    async def end(self, *, cleanly: bool) -> None:
        """Leave cleanly, or be gone from one moment to the next."""
        if not cleanly:
            self.pulse.is_alive = False
        await self._supervisor.stop(cleanly=cleanly and self.is_up)
        self.pulse.is_alive = False
        self._wire.close()

    async def _build(self) -> Sequence[Service]:
        nature, store = self._nature, self._store
        symbols = [one.symbol for one in nature.instruments]
        service = OrdersService(
            self.bus,
            self._clock,
            self._clock,
            _OfTheLiving(store.trading, self.pulse),
            self._wire.execution(symbols),
            Safeguards(Limits(), store.switch),
            nature.rules,
            nature.instruments,
        )
        return [service]


class _Supervisor(Supervisor):
    """Remembers what services died of."""

    def __init__(self, bus: MemoryBus, clock: VirtualClock) -> None:
        super().__init__(bus, clock)
        self.failures: list[Exception] = []

    async def _mourn(self, group: Group, services: Sequence[Service], error: Exception) -> None:
        self.failures.append(error)
        await super()._mourn(group, services, error)


class _OfTheLiving:
    """The record, as long as the process lives."""

    def __init__(self, record: TradingRecord, pulse: Pulse) -> None:
        self._record, self._pulse = record, pulse
        self.outbox: Outbox = _OutboxOfTheLiving(record.outbox, pulse)

    async def load(self) -> AccountState:
        self._pulse.beat()
        return await self._record.load()

    async def commit(self, changes: Changes) -> None:
        self._pulse.beat()
        await self._record.commit(changes)

    async def has_order(self, client_order_id: str) -> bool:
        self._pulse.beat()
        return await self._record.has_order(client_order_id)

    async def outcome(self, symbol: TradingSymbol, strategy: str, candle_time: int) -> SignalOutcome | None:
        self._pulse.beat()
        return await self._record.outcome(symbol, strategy, candle_time)


class _OutboxOfTheLiving:
    """The outbox, as long as the process lives."""

    def __init__(self, outbox: Outbox, pulse: Pulse) -> None:
        self._outbox, self._pulse = outbox, pulse

    async def pending(self, *, limit: int) -> Sequence[Outgoing]:
        self._pulse.beat()
        return await self._outbox.pending(limit=limit)

    async def acknowledge(self, up_to: int) -> None:
        self._pulse.beat()
        await self._outbox.acknowledge(up_to)
