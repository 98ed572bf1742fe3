"""An orders service on the wire: the real adapter before a venue that does as it is told, the real record behind it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.builders import BTC, ETH, MINUTE, signal
from tests.fakes import Listener, until
from tests.integration.venue_server import KEY, SECRET, RunningVenue

from vela.adapters.bus.memory import MemoryBus
from vela.adapters.clock import SystemClock
from vela.adapters.exchanges.live import connect
from vela.adapters.exchanges.unified.connection import Connection, Credentials
from vela.adapters.storage.sql.record import Record, open_record
from vela.domain.events import Alert, OrderChanged, PricesMoved, SignalHandled, SignalsRaised, Tick
from vela.domain.order import Order, OrderStatus
from vela.domain.position import Trade, Wallet
from vela.domain.signal import Action
from vela.domain.trading_symbol import TradingSymbol
from vela.engine.limits import Limits
from vela.engine.rules import TradingRules
from vela.ports.execution import FollowUp
from vela.services.orders import OrdersService, Safeguards
from vela.services.service import Service
from vela.services.supervisor import Group, Supervisor

RULES = TradingRules(cooldown_ms=0)
STILL = {"market": "still", "symbols": "BTC,ETH"}
PRICES = {BTC: Decimal(100), ETH: Decimal(50)}
FOLLOW_UP = FollowUp(absent_tries=5, absent_seconds=60.0, reconcile_seconds=30.0)
_ANSWER_SECONDS = 0.4


class SkippedClock(SystemClock):
    """Real time, of which a test skips some; who sleeps on it sleeps for good."""

    def __init__(self) -> None:
        super().__init__()
        self.skipped = 0.0

    def now(self) -> int:
        return super().now() + round(self.skipped * 1000)

    def monotonic(self) -> float:
        return super().monotonic() + self.skipped

    async def sleep(self, seconds: float) -> None:
        await asyncio.Event().wait()


class WireDesk:
    """Buys and sells BTC; looks after its orders when it is told to."""

    def __init__(self, venue: RunningVenue, connection: Connection, record: Record, rules: TradingRules) -> None:
        self.venue, self.connection, self.record = venue, connection, record
        self.clock = SkippedClock()
        self.bus = MemoryBus(self.clock)
        self.heard = Listener(self.bus)
        symbols = [BTC, ETH]
        self.execution = connection.execution(symbols, FOLLOW_UP)
        self._rules, self._instruments = rules, connection.instruments(symbols)
        self._signals = 0
        self.service: OrdersService

    async def build(self) -> Sequence[Service]:
        """Put a fresh service in the place of the one before."""
        self.service = OrdersService(
            self.bus,
            self.clock,
            self.clock,
            self.record.trading,
            self.execution,
            Safeguards(Limits(), self.record.kill_switch),
            self._rules,
            self._instruments,
        )
        return [self.service]

    # --------------------------------------------------------------------------------------------------- what happens

    async def say(self, *messages: Any) -> None:
        for message in messages:
            await self.bus.publish(message)
            await asyncio.wait_for(self.bus.settled(), 10)

    async def price(self, price: float, symbol: TradingSymbol = BTC) -> None:
        """Tell the service a price; the venue does not hear of it."""
        await self.say(PricesMoved(time=self.clock.now(), ticks=(Tick(symbol, price, price, price, jump=True),)))

    async def signal(self, action: Action, symbol: TradingSymbol = BTC) -> None:
        """Raise a signal of a candle that none was raised of before."""
        self._signals += 1
        now = self.clock.now()
        await self.say(SignalsRaised(time=now, signals=(signal(action, symbol, now - MINUTE + self._signals),)))

    async def buy(self, symbol: TradingSymbol = BTC) -> None:
        await self.price(float(PRICES[symbol]), symbol)
        await self.signal(Action.BUY, symbol)

    async def sell(self) -> None:
        await self.signal(Action.SELL)

    def move(self, price: str, **more: Any) -> None:
        """Move the venue's market; the service hears of its orders only."""
        answer = self.venue.control.post("/price", json={"symbol": "BTC", "price": price, **more})
        answer.raise_for_status()

    def set(self, path: str, **what: Any) -> None:
        self.venue.control.post(path, json=what).raise_for_status()

    def lose(self, endpoint: str, kind: str = "execute_and_timeout") -> None:
        """Let the answer to the next such request not come, and nobody wait long for any from now on."""
        self.connection._client.timeout = round(_ANSWER_SECONDS * 1000)  # type: ignore[attr-defined]
        self.venue.fault(endpoint, kind, nth=1, args={"seconds": 2 * _ANSWER_SECONDS})

    def deafen(self) -> None:
        """Keep the account's events from being told."""
        self.venue.fault("executionReport", "omit_event")

    def mend(self) -> None:
        self.venue.control.delete("/faults").raise_for_status()

    async def look_after(self, seconds: float = 0.0) -> None:
        """Let time pass, and the service do what it does at rest."""
        self.clock.skipped += seconds
        await self.service.look_after()
        await self.bus.settled()

    async def at_rest(self, seconds: float) -> None:
        """Let so much time pass, five seconds at a time."""
        for _ in range(round(seconds / 5)):
            await self.look_after(5.0)

    # ------------------------------------------------------------------------------------------------ what became of it

    @property
    def orders(self) -> list[Order]:
        """Every state that orders went through, in order."""
        return [message.order for message in self.heard.of(OrderChanged)]

    def statuses(self, order_id: str) -> list[OrderStatus]:
        return [order.status for order in self.orders if order.client_order_id == order_id]

    @property
    def sent(self) -> list[str]:
        """The ids of all orders that were meant for the venue, in order."""
        return list(dict.fromkeys(order.client_order_id for order in self.orders))

    @property
    def accepted(self) -> list[str]:
        """The ids of all orders that the venue ever took, in order, each as often as it took it."""
        return [event["client_order_id"] for event in self.venue.truth() if event["event"] == "new"]

    @property
    def alerts(self) -> list[str]:
        return [alert.text for alert in self.heard.of(Alert)]

    @property
    def failures(self) -> list[str]:
        """What services died of."""
        return [text for text in self.alerts if "failed and restarts" in text]

    @property
    def refusals(self) -> list[str | None]:
        return [message.outcome.refusal for message in self.heard.of(SignalHandled)]

    @property
    def wallet(self) -> Wallet:
        return self.service._manager.wallet(self.clock.now())

    async def held(self) -> dict[TradingSymbol, Decimal]:
        return {position.symbol: position.quantity for position in (await self.record.trading.load()).positions}

    async def resting(self) -> list[str]:
        return [report.client_order_id for report in await self.execution.open_orders()]

    def trades(self) -> list[Trade]:
        return list(self.record.reader.trades(limit=10))

    def fills(self) -> list[tuple[str, Decimal]]:
        """The venue's own list of what was executed: id and quantity."""
        return [(e["fill"]["fill_id"], Decimal(e["fill"]["quantity"])) for e in self.venue.truth() if "fill" in e]


@asynccontextmanager
async def wire_desk(venue: RunningVenue, data_dir: Path, rules: TradingRules = RULES) -> AsyncIterator[WireDesk]:
    """Start a desk that hears the account's events; when its service dies, it is replaced."""
    with open_record(data_dir) as record:
        connection = await connect("binance", Credentials(KEY, SECRET), SystemClock(), base_url=venue.http)
        desk = WireDesk(venue, connection, record, rules)
        supervisor = Supervisor(desk.bus, SystemClock())
        try:
            await supervisor.start(Group("trading", desk.build, is_essential=True))
            compared = desk.service._reconcile_at
            await until(lambda: desk.service._reconcile_at > compared)  # it does so once it hears events
            await desk.look_after()
            yield desk
        finally:
            await supervisor.stop(cleanly=False)
            await connection.close()


async def bought(desk: WireDesk) -> str:
    """Hold a position whose stop rests; returns the stop's id."""
    await desk.buy()
    [_, stop] = desk.accepted
    assert desk.statuses(stop)[-1] is OrderStatus.ACCEPTED
    return stop
