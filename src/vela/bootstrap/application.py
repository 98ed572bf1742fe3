"""The embedded shape: all services in one process, over the memory bus."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from vela.adapters.clock import SystemClock
from vela.adapters.storage.sql.record import Record
from vela.bootstrap.choices import choose_strategies, require_quote, require_trusted, require_trusted_universe
from vela.bootstrap.market import open_market
from vela.bootstrap.marketplace import Marketplace, Progress, SimulatedMarketplace
from vela.bootstrap.record import open_record_of
from vela.bootstrap.services import Services, Standing, claim, note_configuration
from vela.bootstrap.settings import Settings
from vela.bootstrap.transport import in_memory
from vela.domain.events import Alert
from vela.domain.trading_symbol import TradingSymbol
from vela.ports.record import Summary
from vela.services.market_data import MarketDataService
from vela.services.service import Service, run_together
from vela.services.supervisor import Group, Supervisor
from vela.strategies.base import Strategy
from vela.version import __version__

_SETTLE_SECONDS = 5.0
_HISTORY, _TRADING = "history", "trading"


@dataclass(frozen=True, slots=True)
class Ready:
    """What is worth telling once everything runs.

    `mode`: `paper` or `live`; `url`: None without a page; `login_link`: None once anybody has logged in.
    """

    version: str
    mode: str
    market: str
    symbols: str
    url: str | None
    login_link: str | None


class Application:
    """A session from start to stop."""

    def __init__(
        self,
        settings: Settings,
        *,
        until_end: bool,
        marketplace: Marketplace | None = None,
        strategies: Mapping[TradingSymbol, Strategy] | None = None,
    ) -> None:
        """Check what can be checked before anything is opened.

        Args:
            settings: all of them.
            until_end: leave when the market ends.
            marketplace: where to trade; None: on paper, on the market that the settings name.
            strategies: one for each of its symbols; None: those that the settings name.

        Raises:
            ConfigurationError: the settings contradict each other.
            StrategyError: a strategy is unknown, or one of the user's own cannot be trusted to trade.
            CandleError: a recording cannot be used.
        """
        self._settings = settings
        self._until_end = until_end
        self._market = marketplace or SimulatedMarketplace(open_market(settings), settings)
        self._given = strategies
        self._strategies = strategies or choose_strategies(settings, self._market.symbols)
        require_quote(self._market.symbols, settings.rules.quote)
        require_trusted(self._strategies)
        if settings.universe:
            require_trusted_universe(settings)
        if until_end:
            self._market.require_end()
        self._wall_clock = SystemClock()
        transport = in_memory(self._wall_clock)
        self._bus = transport.bus
        self._services = Services(settings, self._market, self._strategies, transport, self._wall_clock)
        self._supervisor = Supervisor(self._bus, self._wall_clock)
        self._market_data: MarketDataService | None = None

    @property
    def progress(self) -> Progress | None:
        """How far the market has come; None before it began."""
        return self._market.progress

    async def run(self, stop: asyncio.Event, greet: Callable[[Ready], None]) -> Summary:
        """Run until `stop` is set or, where that was asked for, the market ends; then leave a clean record.

        Args:
            stop: set to end the session.
            greet: called once everything runs.

        Raises:
            VelaError: something could not start, or failed for good.
        """
        with open_record_of(self._settings, trading=self._market.durability) as record:
            claim(record, self._market)
            try:
                await self._market.open(record)
                await self._gather(record)
                await self._start(record, greet)
                await self._wait(record, stop)
            finally:
                await self._leave()
                await self._market.close()
            return record.reader.summary()

    async def _start(self, record: Record, greet: Callable[[Ready], None]) -> None:
        async def history() -> Sequence[Service]:
            return [self._services.historical(await Standing.of(record, self._market))]

        async def simulator() -> Sequence[Service]:
            return [self._services.simulator(record)]

        await self._supervisor.start(Group(_HISTORY, history, is_essential=True, keeps_messages=True))
        url = link = None
        if self._settings.page:
            page = self._services.page(record)
            await self._supervisor.start(Group("page", page.build, is_essential=False, keeps_messages=True))
            url, link = page.url, page.login_link
        await self._supervisor.start(Group("simulator", simulator, is_essential=False, keeps_messages=True))
        trading = Group(_TRADING, lambda: self._build_trading(record), is_essential=True, keeps_messages=False)
        await self._supervisor.start(trading)
        symbols = ", ".join(map(str, self._market.symbols))
        greet(Ready(__version__, self._market.mode, self._market.title, symbols, url, link))

    async def _gather(self, record: Record) -> None:
        """Take the symbols that are traded from now on, and write that down."""
        await self._market.gather(record)
        self._strategies = self._given or choose_strategies(self._settings, self._market.symbols)
        self._services.trade(self._strategies)
        await note_configuration(record, self._settings, self._market, self._strategies)

    async def _wait(self, record: Record, stop: asyncio.Event) -> None:
        running = asyncio.create_task(run_together(self._supervisor.wait(), self._follow_symbols(record)))
        stopping = asyncio.create_task(stop.wait())
        waiting = {running, stopping}
        if self._until_end:
            waiting.add(asyncio.create_task(self._market_end()))
        done, pending = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        for task in done:
            task.result()

    async def _market_end(self) -> None:
        # A restart puts a new market-data service in place: wait for whichever is there when it ends.
        while self._market_data is None or not self._market_data.ended.is_set():
            await self._wall_clock.sleep(0.05)

    async def _follow_symbols(self, record: Record) -> None:
        """Trade other symbols whenever the market says so; history first, which the others need."""
        async for news in self._market.news(record):
            if news.text:
                await self._bus.publish(Alert(time=self._wall_clock.now(), level=news.level, text=news.text))
            if news.is_change:
                await self._supervisor.renew(_HISTORY, cleanly=True)
                await self._supervisor.renew(_TRADING, cleanly=await self._settle())

    async def _leave(self) -> None:
        # Half a round must not be journaled as whole: then everything is left as a crash would leave it.
        await self._supervisor.stop(cleanly=await self._settle())

    async def _settle(self) -> bool:
        """Let no more of the market in, and say whether all that followed from what came before is done."""
        if self._market_data is not None:
            self._market_data.finish()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._bus.settled(), _SETTLE_SECONDS)
            return True
        return False

    async def _build_trading(self, record: Record) -> Sequence[Service]:
        await self._gather(record)
        standing = await Standing.of(record, self._market)
        self._market_data = await self._services.market_data(standing)
        return [
            self._services.persistence(record, at_once=False),
            self._services.brain(),
            self._services.orders(record, standing),
            self._market_data,
        ]
