"""The scaled shape: one service, alone in this process, over Redis and PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from pydantic import SecretStr

from vela.adapters.clock import SystemClock
from vela.adapters.storage.lock import DirectoryLock
from vela.adapters.storage.sql.record import Record, SharedRecord
from vela.bootstrap.choices import choose_strategies, require_quote, require_trusted, require_trusted_universe
from vela.bootstrap.market import open_market
from vela.bootstrap.marketplace import Marketplace, SimulatedMarketplace
from vela.bootstrap.record import open_leased_record, open_shared_record
from vela.bootstrap.services import BRAIN, Services, Standing, claim, note_configuration
from vela.bootstrap.settings import Settings
from vela.bootstrap.shards import WHOLE, Shard
from vela.bootstrap.transport import on_redis
from vela.domain.errors import BusError, ConfigurationError, StorageLocked, StorageUnavailable, VelaError
from vela.domain.events import Alert, Topic
from vela.services.brain import warmup_consumer
from vela.services.service import Service, run_together
from vela.services.supervisor import Group, ServicesFailed, Supervisor
from vela.version import __version__

if TYPE_CHECKING:
    from vela.bootstrap.page import PageGroup

MARKET_DATA, ORDERS, HISTORICAL, DASHBOARD = "market-data", "orders", "historical", "dashboard"
SERVICES = (MARKET_DATA, BRAIN, ORDERS, "persistence", HISTORICAL, "simulator", DASHBOARD)
_PLANNED = ("strategy-optimizer", "alerts")

# They are built for certain symbols; the others take what comes.
_OF_SYMBOLS = frozenset({MARKET_DATA, BRAIN, ORDERS, HISTORICAL})
_BEHIND_SECONDS = 5.0

_PATIENCE_SECONDS = 60.0
_PAUSE_SECONDS = 0.5
# Without these, the market would begin before anybody listens.
_LISTENERS = frozenset({BRAIN, ORDERS, "persistence", HISTORICAL})

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Running:
    """What is worth telling once the service runs. `links`: the page's address and, at a first start, how to log in."""

    service: str
    version: str
    mode: str
    market: str
    bus: str
    links: tuple[str, ...] = ()


class ServiceProcess:
    """One service from start to stop."""

    def __init__(
        self,
        service: str,
        settings: Settings,
        tell: Callable[[str], None],
        *,
        marketplace: Marketplace | None = None,
        until_end: bool = False,
        shard: Shard = WHOLE,
    ) -> None:
        """Check what can be checked before anything is opened.

        Args:
            service: its name.
            settings: all of them.
            tell: is given what there is to wait for, a line each.
            marketplace: where to trade; None: on paper, on the market that the settings name.
            until_end: leave when the market ends.
            shard: which symbols a brain looks at.

        Raises:
            ConfigurationError: there is no such service, an address is missing, or settings contradict each other.
            StrategyError: a strategy is unknown, or one of the user's own cannot be trusted to trade.
            CandleError: a recording cannot be used.
        """
        if service not in SERVICES:
            what = "does not exist yet" if service in _PLANNED else "is unknown"
            raise ConfigurationError(f"service {service[:40]!r} {what}; accepted: {', '.join(SERVICES)}")
        if shard != WHOLE and service != BRAIN:
            raise ConfigurationError(f"--shard was given to {service}; accepted: with brain")
        bus = require_servers(settings)
        self._service, self._settings, self._tell = service, settings, tell
        self._shard = shard
        self._until_end = until_end and service == MARKET_DATA
        # Whoever opens a market knows its assets: messages name symbols by them.
        self._market = marketplace or SimulatedMarketplace(open_market(settings), settings)
        self._strategies = choose_strategies(settings, self._market.symbols)
        require_quote(self._market.symbols, settings.rules.quote)
        if service == BRAIN:
            require_trusted(self._strategies)
            if settings.universe:
                require_trusted_universe(settings)
        if until_end:
            self._market.require_end()
        self._wall_clock = SystemClock()
        self._transport = on_redis(bus, self._wall_clock, source=service)
        self._services = Services(settings, self._market, self._strategies, self._transport, self._wall_clock)
        self._supervisor = Supervisor(self._transport.bus, self._wall_clock)

    async def run(self, stop: asyncio.Event, greet: Callable[[Running], None]) -> None:
        """Run until `stop` is set or, where that was asked for, the market ends.

        Args:
            stop: set to end the service.
            greet: called once it runs.

        Raises:
            VelaError: it could not start, or failed for good.
        """
        running = asyncio.create_task(self._run(greet))
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if not running.done():
            running.cancel()
            await asyncio.wait({running})
        if not running.cancelled():
            running.result()

    async def _run(self, greet: Callable[[Running], None]) -> None:
        async with AsyncExitStack() as opened:
            opened.push_async_callback(self._transport.close)
            await self._wait_for(f"Redis at {self._transport.place}", self._transport.reach)
            record = opened.enter_context(await self._open_record())
            claim(record, self._market)
            opened.push_async_callback(self._market.close)
            await self._market.open(record)
            if self._service == HISTORICAL:  # candles in one directory have one writer
                self._settings.data_dir.mkdir(parents=True, exist_ok=True)
                opened.callback(DirectoryLock(self._settings.data_dir).release)
            await self._work(record, greet)

    async def _work(self, record: SharedRecord, greet: Callable[[Running], None]) -> None:
        page = self._services.page(record) if self._service == DASHBOARD else None
        build = partial(self._build, record, page)
        try:
            await self._supervisor.start(Group(self._service, build, is_essential=True, keeps_messages=True))
            links = () if page is None else tuple(filter(None, (page.url, page.login_link)))
            market, place = self._market, self._transport.place
            greet(Running(self._shard.member_of(self._service), __version__, market.mode, market.title, place, links))
            await run_together(self._supervisor.wait(), self._follow_symbols(record))
            if not self._until_end:
                await asyncio.Event().wait()  # the market is over; who looks at it may stay
        finally:
            await self._supervisor.stop(cleanly=True)
            if page is not None:  # it begins with what is recorded: nobody has to wait for it
                self._transport.bus.unsubscribe(DASHBOARD)

    async def _build(self, record: SharedRecord, page: PageGroup | None) -> Sequence[Service]:
        await self._gather(record)
        if page is not None:
            return await page.build()
        if self._service == MARKET_DATA:
            await self._wait_for_listeners()
        if self._service == BRAIN:
            await self._share_symbols()
        services = self._services
        standing = await Standing.of(record, self._market)
        if isinstance(record, Record):
            return [services.orders(record, standing)]
        if self._service == MARKET_DATA:
            return [await services.market_data(standing)]
        made: dict[str, Callable[[], Service]] = {
            BRAIN: lambda: services.brain(self._shard),
            "persistence": lambda: services.persistence(record, at_once=True),
            HISTORICAL: lambda: services.historical(standing),
            "simulator": lambda: services.simulator(record),
        }
        return [made[self._service]()]

    # ------------------------------------------------------------------------------------------------------- symbols

    async def _gather(self, record: SharedRecord) -> None:
        """Take the symbols that are traded from now on; who trades writes that down, and the others wait for it."""
        is_told = False
        while not await self._market.gather(record):
            if not is_told:
                self._tell(f"waiting for {ORDERS}, which chooses the symbols")
            is_told = True
            await self._wall_clock.sleep(_PAUSE_SECONDS)
        self._strategies = choose_strategies(self._settings, self._market.symbols)
        self._services.trade(self._strategies)
        if self._service == ORDERS:
            await note_configuration(record, self._settings, self._market, self._strategies)

    async def _follow_symbols(self, record: SharedRecord) -> None:
        async for news in self._market.news(record):
            if news.text:
                alert = Alert(time=self._wall_clock.now(), level=news.level, text=news.text)
                await self._transport.bus.publish(alert)
            if news.is_change and self._service in _OF_SYMBOLS:
                if self._service == MARKET_DATA:  # last: nobody is to be told of a symbol that he does not know yet
                    await self._wall_clock.sleep(_BEHIND_SECONDS)
                await self._supervisor.renew(self._service, cleanly=True)
            elif news.is_change:
                with suppress(VelaError):  # the same news come again
                    await self._gather(record)

    # ------------------------------------------------------------------------------------------------------- waiting

    async def _open_record(self) -> SharedRecord:
        if self._service != ORDERS:
            return await self._wait_for("the database", self._opened)
        is_told = False
        while True:
            try:
                return await self._wait_for("the database", self._leased)
            except StorageLocked as e:
                if not is_told:
                    self._tell(f"standby: {e}")
                is_told = True
                await self._wall_clock.sleep(_PAUSE_SECONDS)

    async def _opened(self) -> SharedRecord:
        return open_shared_record(self._settings)

    async def _leased(self) -> SharedRecord:
        return open_leased_record(self._settings, trading=self._market.durability)

    async def _wait_for(self, what: str, attempt: Callable[[], Awaitable[T]]) -> T:
        """Try until there is an answer, and say so.

        Raises:
            ServicesFailed: there was none for a minute.
            VelaError: the answer is no.
        """
        began, is_told = self._wall_clock.monotonic(), False
        while True:
            try:
                return await attempt()
            except (_unreachable(), StorageUnavailable) as e:
                if self._wall_clock.monotonic() - began >= _PATIENCE_SECONDS:
                    raise ServicesFailed(f"{what} did not answer for {_PATIENCE_SECONDS:.0f} s: {e}") from e
                if not is_told:
                    self._tell(f"waiting for {what}: {e}")
                is_told = True
                await self._wall_clock.sleep(_PAUSE_SECONDS)

    async def _share_symbols(self) -> None:
        """Take the place of brains that shared the symbols in another way, together with those that share them now."""
        brains, replace = self._shard.all_of(BRAIN), self._transport.replace
        await replace(BRAIN, brains, Topic.CANDLES)
        await replace(BRAIN, [warmup_consumer(brain) for brain in brains], Topic.HISTORY)

    async def _wait_for_listeners(self) -> None:
        told: frozenset[str] = frozenset()
        while missing := _LISTENERS - await self._listening():
            if missing != told:
                self._tell(f"waiting for {', '.join(sorted(missing))}")
                told = missing
            await self._wall_clock.sleep(_PAUSE_SECONDS)

    async def _listening(self) -> frozenset[str]:
        names = await self._transport.bus.consumers(Topic.CANDLES)
        # Brains that share the symbols are put in their places all at once.
        return names | {BRAIN for name in names if name.startswith(f"{BRAIN}-")}


def require_servers(settings: Settings) -> SecretStr:
    """Check that the settings name the servers that processes share; return the bus's address.

    Raises:
        ConfigurationError: one is missing.
    """
    if settings.bus is None or settings.database is None:
        missing = "bus" if settings.bus is None else "database"
        raise ConfigurationError(
            f"setting {missing} is missing: services in processes of their own speak over Redis and write to "
            "PostgreSQL; accepted: --bus redis://HOST:6379/0 --database postgresql://USER:PASSWORD@HOST:5432/NAME"
        )
    return settings.bus


def _unreachable() -> type[BusError]:
    from vela.adapters.redis.server import RedisUnreachable  # noqa: PLC0415  its library is needed only here

    return RedisUnreachable
