"""The embedded shape: all services in one process, over the memory bus."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import structlog

from vela.adapters.bus.memory import MemoryBus
from vela.adapters.clock import SystemClock
from vela.adapters.storage.parquet import ParquetCandleStore
from vela.adapters.storage.sql.record import Record
from vela.bootstrap.jobs import ProcessRunner, jobs_at_once
from vela.bootstrap.market import open_market
from vela.bootstrap.marketplace import Marketplace, Progress, SimulatedMarketplace
from vela.bootstrap.record import open_record_of
from vela.bootstrap.settings import Settings
from vela.bootstrap.strategies import find_strategy, is_shipped, make, reference
from vela.domain.errors import ConfigurationError
from vela.domain.trading_symbol import TradingSymbol
from vela.engine.configuration import Configuration, SymbolConfiguration
from vela.engine.limits import Limits
from vela.ports.record import Summary
from vela.services.brain import BrainService
from vela.services.historical import HistoricalService
from vela.services.market_data import MarketDataService
from vela.services.orders import OrdersService, Safeguards
from vela.services.persistence import PersistenceService
from vela.services.service import Service
from vela.services.simulator import SimulatorService
from vela.services.supervisor import Group, Supervisor
from vela.strategies.base import Strategy
from vela.version import __version__

_SETTLE_SECONDS = 5.0

_log = structlog.get_logger("vela")


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
        self._rules = settings.rules
        self._until_end = until_end
        self._market = marketplace or SimulatedMarketplace(open_market(settings), settings)
        self._strategies = strategies or choose_strategies(settings, self._market.symbols)
        _check_quotes(self._market.symbols, self._rules.quote)
        _check_own(self._strategies)
        if until_end and not self._market.has_end:
            raise ConfigurationError(
                f"--until-end waits for the market's end, and there is none: {self._market.title}; "
                "accepted: with a recording, or with --candles N"
            )
        self._wall_clock = SystemClock()
        self._bus = MemoryBus(self._wall_clock)
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
            _claim(record, self._market)
            try:
                await self._market.open(record)
                await self._note_configuration(record)
                await self._start(record, greet)
                await self._wait(stop)
            finally:
                await self._leave()
                await self._market.close()
            return record.reader.summary()

    async def _start(self, record: Record, greet: Callable[[Ready], None]) -> None:
        await self._supervisor.start(
            Group("history", lambda: self._build_history(record), is_essential=True, keeps_messages=True)
        )
        url = link = None
        if self._settings.page:
            from vela.bootstrap.page import PageGroup  # noqa: PLC0415  heavy libraries, needed only here

            page = PageGroup(
                self._settings,
                self._market,
                self._strategies,
                self._bus,
                self._wall_clock,
                self._store(),
                record.reader,
                record.jobs,
            )
            await self._supervisor.start(Group("page", page.build, is_essential=False, keeps_messages=True))
            url, link = page.url, page.login_link
        simulator = Group("simulator", lambda: self._build_simulator(record), is_essential=False, keeps_messages=True)
        await self._supervisor.start(simulator)
        trading = Group("trading", lambda: self._build_trading(record), is_essential=True, keeps_messages=False)
        await self._supervisor.start(trading)
        symbols = ", ".join(map(str, self._market.symbols))
        greet(Ready(__version__, self._market.mode, self._market.title, symbols, url, link))

    async def _note_configuration(self, record: Record) -> None:
        cursor = await record.journal.cursor()
        instruments = sorted(self._market.instruments(), key=lambda instrument: instrument.symbol)
        chosen = [(instrument, self._strategies[instrument.symbol]) for instrument in instruments]
        record.configurations.keep(
            Configuration(
                since=self._market.start_of(cursor),
                rules=self._rules,
                symbols=tuple(
                    SymbolConfiguration(instrument, reference(type(strategy)), strategy.settings)
                    for instrument, strategy in chosen
                ),
            )
        )

    async def _wait(self, stop: asyncio.Event) -> None:
        running = asyncio.create_task(self._supervisor.wait())
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

    async def _leave(self) -> None:
        if self._market_data is not None:
            self._market_data.finish()
        settled = False
        with suppress(TimeoutError):
            await asyncio.wait_for(self._bus.settled(), _SETTLE_SECONDS)
            settled = True
        # Half a round must not be journaled as whole: then everything is left as a crash would leave it.
        await self._supervisor.stop(cleanly=settled)

    async def _build_history(self, record: Record) -> Sequence[Service]:
        clock = self._market.clock(await record.journal.cursor())
        feed = self._market.history(clock)
        return [HistoricalService(self._bus, self._wall_clock, clock, self._store(), feed, self._market.exchange)]

    async def _build_simulator(self, record: Record) -> Sequence[Service]:
        runner = ProcessRunner(self._settings.data_dir)
        return [SimulatorService(self._bus, self._wall_clock, record.jobs, runner, jobs_at_once())]

    async def _build_trading(self, record: Record) -> Sequence[Service]:
        cursor = await record.journal.cursor()
        clock = self._market.clock(cursor)
        feed = self._market.feed(clock, self._bus.settled, cursor)
        execution, instruments = self._market.execution(record, self._rules), self._market.instruments()
        self._market_data = MarketDataService(self._bus, self._wall_clock, feed, clock, cursor)
        return [
            PersistenceService(self._bus, self._wall_clock, record.journal),
            BrainService(self._bus, self._wall_clock, self._strategies, self._market.strategy_seconds),
            OrdersService(
                self._bus,
                self._wall_clock,
                clock,
                record.trading,
                record.outbox,
                execution,
                Safeguards(self._limits(), record.kill_switch),
                self._rules,
                instruments,
            ),
            self._market_data,
        ]

    def _limits(self) -> Limits:
        return self._settings.careful_limits if self._settings.live else self._settings.limits

    def _store(self) -> ParquetCandleStore:
        return ParquetCandleStore(self._settings.data_dir / "candles")


def choose_strategies(settings: Settings, symbols: Sequence[TradingSymbol]) -> Mapping[TradingSymbol, Strategy]:
    """Return every symbol's strategy: as set for the symbol, else as set for all, else the two shipped ones in turn.

    Raises:
        ConfigurationError: a setting names something that is no symbol in use.
        StrategyError: a strategy is unknown or cannot be used.
    """
    named = {TradingSymbol.from_str(text): name for text, name in settings.strategies.items()}
    for symbol in named:
        if symbol not in symbols:
            raise ConfigurationError(
                f"setting strategies names {symbol}; accepted: {', '.join(map(str, symbols))}, the symbols in use"
            )
    in_turn = (settings.strategy,) if settings.strategy else ("SmaCrossover", "RsiMeanReversion")
    chosen = {symbol: named.get(symbol, in_turn[index % len(in_turn)]) for index, symbol in enumerate(symbols)}
    classes = {name: find_strategy(name) for name in dict.fromkeys(chosen.values())}
    return {symbol: make(classes[name], {}) for symbol, name in chosen.items()}


def _check_own(strategies: Mapping[TradingSymbol, Strategy]) -> None:
    # Tests vouch for the shipped strategies.
    own = {symbol: strategy for symbol, strategy in strategies.items() if not is_shipped(type(strategy))}
    if own:
        from vela.bootstrap.strategy_checks import require_unbiased  # noqa: PLC0415  brings the backtest's compiler along

        require_unbiased(own)


def _check_quotes(symbols: Sequence[TradingSymbol], quote: str) -> None:
    for symbol in symbols:
        if symbol.quote.value != quote:
            raise ConfigurationError(
                f"symbol {symbol} is quoted in {symbol.quote.value}; "
                f"accepted: symbols in {quote}, the account's currency"
            )


def _claim(record: Record, market: Marketplace) -> None:
    identity = record.identity()
    if not identity:
        record.set_identity(market.identity)
        return
    for key, value in market.identity.items():
        if identity.get(key) != value:
            raise ConfigurationError(
                f"the data directory holds an account on another market: {key} was {identity.get(key)!r}, "
                f"now {value!r}; accepted: the same market, or another --data-dir"
            )
