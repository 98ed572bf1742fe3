"""Fakes that behave, for tests that need a port and not the real thing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

import polars as pl
import pytest
from tests.builders import BTC, ETH, SOL, instrument, random_walk

from vela.adapters.bus.memory import MemoryBus
from vela.adapters.exchanges.simulated.paper import PaperExecution
from vela.adapters.storage.sql.record import Record
from vela.domain.candles import COLUMNS, Candle
from vela.domain.errors import OrderNotFound, OrderRefused, OrderUnresolved
from vela.domain.events import Envelope, Message, OrderChanged, PricesMoved, SignalHandled, Topic
from vela.domain.instrument import Instrument
from vela.domain.order import OrderRequest, OrderStatus
from vela.domain.timeframe import Timeframe
from vela.domain.trading_symbol import TradingSymbol
from vela.engine.limits import Limits
from vela.engine.rules import TradingRules
from vela.ports.bus import Bus
from vela.ports.execution import Balance, EventsMissed, Execution, FollowUp, OrderReport
from vela.ports.kill_switch import KillSwitch
from vela.ports.market_data import MarketEvent
from vela.services.orders import OrdersService, Safeguards

M = TypeVar("M", bound=Message)


class ManualClock:
    """A clock that a test moves by hand; sleeping takes no real time."""

    def __init__(self, now: int = 0) -> None:
        self._now = now
        self.seconds = 0.0

    def now(self) -> int:
        return self._now

    def set(self, now: int) -> None:
        self._now = max(self._now, now)

    def monotonic(self) -> float:
        return self.seconds

    async def sleep_until(self, time: int) -> None:
        self.set(time)
        await asyncio.sleep(0)

    async def sleep(self, seconds: float) -> None:
        self.seconds += seconds
        await asyncio.sleep(0)


class StillClock(ManualClock):
    """A clock that moves by nothing but `advance`: who sleeps on it sleeps for good."""

    def advance(self, seconds: float) -> None:
        self.seconds += seconds
        self.set(self._now + round(seconds * 1000))

    async def sleep(self, seconds: float) -> None:
        await asyncio.Event().wait()


class FastClock:
    """A wall clock on which a second lasts a hundredth of one."""

    def now(self) -> int:
        return int(self.monotonic() * 1_000)

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time() * 100

    async def sleep_until(self, time: int) -> None:
        await self.sleep((time - self.now()) / 1_000)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds) / 100)


async def until(condition: Callable[[], object], seconds: float = 5.0) -> None:
    """Let others work until `condition` holds, so many seconds at most."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110  any condition will do, and not all have an event
            await asyncio.sleep(0.001)


class Listener:
    """Keeps what is said on a bus, from the moment it is made."""

    def __init__(self, bus: Bus, *topics: Topic, name: str = "listener") -> None:
        bus.subscribe(name, *(topics or Topic))
        self.messages: list[Message] = []
        self._task = asyncio.create_task(bus.consume(name, self._keep))

    def of(self, kind: type[M]) -> list[M]:
        return [message for message in self.messages if isinstance(message, kind)]

    async def _keep(self, envelope: Envelope) -> None:
        self.messages.append(envelope.message)


class ListedFeed:
    """Market data from lists; an exception among the events is raised when its turn comes."""

    timeframe = Timeframe.M1

    def __init__(
        self,
        events: Iterable[MarketEvent | Exception] = (),
        history: Mapping[TradingSymbol, Sequence[Candle]] | None = None,
        symbols: Sequence[TradingSymbol] = (TradingSymbol("BTC"),),
    ) -> None:
        self.events = list(events)
        self.candles = dict(history or {})
        self.symbols = symbols
        self.asked: list[tuple[TradingSymbol, int, int]] = []

    def instruments(self) -> Sequence[Instrument]:
        return [instrument(symbol) for symbol in self.symbols]

    async def history(self, symbol: TradingSymbol, before: int, count: int) -> Sequence[Candle]:
        self.asked.append((symbol, before, count))
        length = self.timeframe.milliseconds
        return [c for c in self.candles.get(symbol, ()) if c.open_time + length <= before][-count:]

    async def stream(self) -> AsyncIterator[MarketEvent]:
        for event in self.events:
            if isinstance(event, Exception):
                raise event
            yield event


class ScriptedExecution:
    """Passes orders on, save where the script says otherwise; one word for each submission or replacement.

    `ok`; `refuse`: refused for certain; `lose`: it never arrives and no answer comes; `hush`: it arrives, but no answer
    comes; `gone`: one of the orders to cancel is not there; `half`: what is to be cancelled is, what is to be placed is
    refused; `die early`, `die late`: this process ends before or after the venue gets it.
    """

    def __init__(self, venue: Execution, script: Iterable[str] = (), follow_up: FollowUp | None = None) -> None:
        self.venue = venue
        self.script = list(script)
        self.follow_up = follow_up or venue.follow_up
        self.told: asyncio.Queue[OrderReport | EventsMissed] = asyncio.Queue()
        self.refusal = OrderRefused("refused by script")
        self.sent: list[str] = []
        self.is_mute = False
        self.before_send: Callable[[Sequence[OrderRequest]], None] = lambda _: None

    async def submit(self, *requests: OrderRequest) -> tuple[OrderReport, ...]:
        return await self.replace((), *requests)

    async def replace(self, cancel: Sequence[str], *requests: OrderRequest) -> tuple[OrderReport, ...]:
        self.before_send(requests)
        self.sent += [request.client_order_id for request in requests]
        word = self.script.pop(0) if self.script else "ok"
        failures = {
            "refuse": self.refusal,
            "lose": OrderUnresolved("no answer"),
            "gone": OrderNotFound("not open"),
            "die early": RuntimeError("killed before the venue got it"),
        }
        if word in failures:
            raise failures[word]
        if word == "half":
            await self.venue.replace(cancel)
            raise self.refusal
        reports = await self.venue.replace(cancel, *requests)
        if word == "hush":
            raise OrderUnresolved("no answer")
        if word == "die late":
            raise RuntimeError("killed after the venue got it")
        return reports

    async def cancel(self, client_order_id: str) -> OrderReport:
        return await self.venue.cancel(client_order_id)

    async def order(self, client_order_id: str) -> OrderReport:
        if self.is_mute:
            raise OrderUnresolved("no answer")
        return await self.venue.order(client_order_id)

    async def open_orders(self) -> tuple[OrderReport, ...]:
        return await self.venue.open_orders()

    async def balances(self) -> Mapping[str, Balance]:
        return await self.venue.balances()

    async def average_price(self, request: OrderRequest) -> Decimal | None:
        return await self.venue.average_price(request)

    async def on_prices(self, prices: PricesMoved) -> tuple[OrderReport, ...]:
        return await self.venue.on_prices(prices)

    async def events(self) -> AsyncIterator[OrderReport | EventsMissed]:
        while True:
            yield await self.told.get()


class Desk:
    """An orders service over the real record and the paper venue; as many one after the other as a test likes."""

    def __init__(
        self,
        record: Record,
        *script: str,
        rules: TradingRules | None = None,
        limits: Limits | None = None,
        symbols=(BTC, ETH, SOL),
        now: int = 0,
        follow_up: FollowUp | None = None,
        kill_switch: KillSwitch | None = None,
    ) -> None:
        rules = rules or TradingRules(cooldown_ms=0)
        instruments = [instrument(symbol) for symbol in symbols]
        venue = PaperExecution(
            record.paper_log,
            instruments,
            {"USDT": rules.initial_capital},
            fee_rate=rules.fee_rate,
            slippage_ppm=rules.slippage_ppm,
        )
        self.record = record
        self.execution = ScriptedExecution(venue, script, follow_up)
        self.clock = StillClock(now)
        self.bus = MemoryBus(self.clock)
        self.heard = Listener(self.bus)
        self.service = OrdersService(
            self.bus,
            self.clock,
            self.clock,
            record.trading,
            self.execution,
            Safeguards(limits or Limits(), kill_switch or record.kill_switch),
            rules,
            instruments,
        )
        self.working: asyncio.Task[None] | None = None

    async def start(self) -> Desk:
        await self.service.start()
        self.working = asyncio.create_task(self.service.work())
        return self

    async def say(self, *messages: Message) -> None:
        for message in messages:
            await self.bus.publish(message)
            await asyncio.wait_for(self.bus.settled(), 5)

    async def look_after(self, seconds: float) -> None:
        """Let time pass, and the service do what it does at rest."""
        self.clock.advance(seconds)
        await self.service.look_after()
        await self.bus.settled()

    async def die(self, *messages: Message) -> None:
        for message in messages:
            await self.bus.publish(message)
        assert self.working is not None
        with pytest.raises(RuntimeError, match="killed"):
            await asyncio.wait_for(self.working, 5)

    def statuses(self, order_id: str) -> list[OrderStatus]:
        return [m.order.status for m in self.heard.of(OrderChanged) if m.order.client_order_id == order_id]

    @property
    def outcomes(self) -> dict[TradingSymbol, str | None]:
        return {m.outcome.signal.symbol: m.outcome.refusal for m in self.heard.of(SignalHandled)}

    async def resting(self) -> list[str]:
        return [report.client_order_id for report in await self.execution.open_orders()]

    async def held(self) -> dict[TradingSymbol, Decimal]:
        return {position.symbol: position.quantity for position in (await self.record.trading.load()).positions}


def write_recording(path: Path, count: int, seed: int = 1) -> Path:
    """Write a random walk of one-minute candles as a recording."""
    candles = random_walk(count, seed, 0.002)
    path.parent.mkdir(parents=True, exist_ok=True)
    pl.DataFrame({name: getattr(candles, name) for name in ("open_time", *COLUMNS)}).write_parquet(path)
    return path


def write_coarser(recording: Path, minutes: int) -> Path:
    """Write the candles of a recording put together, so many minutes in each, beside it."""
    path = recording.with_name(f"BTCUSDT_{minutes}m.parquet")
    period = pl.col("open_time") // (minutes * 60_000) * (minutes * 60_000)
    frame = pl.read_parquet(recording).group_by(period, maintain_order=True)
    merged = (pl.col("open").first(), pl.col("high").max(), pl.col("low").min(), pl.col("close").last())
    frame.agg(*merged, pl.col("volume").sum()).write_parquet(path)
    return path
