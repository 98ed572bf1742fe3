"""How each service is made: once, for both shapes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import msgspec

from vela.adapters.storage.parquet import ParquetCandleStore
from vela.adapters.storage.sql.record import Record, SharedRecord
from vela.bootstrap.jobs import ProcessRunner, jobs_at_once
from vela.bootstrap.marketplace import Marketplace
from vela.bootstrap.settings import Settings
from vela.bootstrap.shards import WHOLE, Shard
from vela.bootstrap.strategies import reference
from vela.bootstrap.transport import Transport
from vela.domain.errors import ConfigurationError
from vela.domain.events import CandlesClosed, Topic
from vela.domain.trading_symbol import TradingSymbol
from vela.engine.configuration import Configuration, SymbolConfiguration
from vela.engine.limits import Limits
from vela.ports.clock import Clock
from vela.services.brain import BrainService
from vela.services.historical import HistoricalService
from vela.services.market_data import NOTHING_TOLD, MarketDataService, Told
from vela.services.orders import OrdersService, Safeguards
from vela.services.persistence import PersistenceService
from vela.services.simulator import SimulatorService
from vela.strategies.base import Strategy

if TYPE_CHECKING:
    from vela.bootstrap.page import PageGroup

BRAIN = "brain"


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the market is taken up. `cursor`: where the journal ends, ms UTC; `clock`: the market's, from there on."""

    cursor: int | None
    clock: Clock

    @classmethod
    async def of(cls, record: SharedRecord, market: Marketplace) -> Self:
        """Return where the record's market is taken up."""
        cursor = await record.journal.cursor()
        return cls(cursor, market.clock(cursor))


class Services:
    """Makes services: fresh ones, whenever they are needed."""

    def __init__(
        self,
        settings: Settings,
        market: Marketplace,
        strategies: Mapping[TradingSymbol, Strategy],
        transport: Transport,
        wall_clock: Clock,
    ) -> None:
        """Take what they have in common."""
        self._settings = settings
        self._market = market
        self._strategies = strategies
        self._transport = transport
        self._bus = transport.bus
        self._wall_clock = wall_clock
        self._store = ParquetCandleStore(settings.candle_place)

    async def market_data(self, standing: Standing) -> MarketDataService:
        """Return who tells what the market says."""
        feed = self._market.feed(standing.clock, self._bus.settled, standing.cursor)
        latest = self._transport.latest
        told = await self._told() if self._market.repeats and standing.cursor is not None else NOTHING_TOLD
        return MarketDataService(self._bus, self._wall_clock, feed, standing.clock, standing.cursor, latest, told)

    async def _told(self) -> Told:
        newest = [await self._transport.newest(topic) for topic in (Topic.TICKERS, Topic.CANDLES)]
        prices, candles = (-1 if envelope is None else envelope.message.time for envelope in newest)
        is_closed = newest[1] is not None and isinstance(newest[1].message, CandlesClosed)
        # The market's end is told before its last candles.
        return Told(prices, candles if is_closed else candles - 1)

    def trade(self, strategies: Mapping[TradingSymbol, Strategy]) -> None:
        """Make services for these symbols, with these strategies, from now on."""
        self._strategies = strategies

    def brain(self, shard: Shard = WHOLE) -> BrainService:
        """Return who decides, on the symbols of its shard."""
        return BrainService(
            self._bus,
            self._wall_clock,
            {symbol: strategy for symbol, strategy in self._strategies.items() if shard.takes(symbol)},
            self._market.strategy_seconds,
            latest=self._transport.latest,
            consumer=shard.member_of(BRAIN),
        )

    def orders(self, record: Record, standing: Standing) -> OrdersService:
        """Return who trades."""
        settings = self._settings
        limits = _among(self._market.enterable, settings.careful_limits if settings.live else settings.limits)
        return OrdersService(
            self._bus,
            self._wall_clock,
            standing.clock,
            record.trading,
            self._market.execution(record, settings.rules),
            Safeguards(limits, record.kill_switch, self._market.stranded),
            settings.rules,
            self._market.instruments(),
        )

    def persistence(self, record: SharedRecord, *, at_once: bool) -> PersistenceService:
        """Return who writes the journal; `at_once`: see there."""
        return PersistenceService(self._bus, self._wall_clock, record.journal, at_once=at_once)

    def historical(self, standing: Standing) -> HistoricalService:
        """Return who keeps candles."""
        feed = self._market.history(standing.clock)
        return HistoricalService(self._bus, self._wall_clock, standing.clock, self._store, feed, self._market.exchange)

    def simulator(self, record: SharedRecord) -> SimulatorService:
        """Return who runs backtests."""
        runner = ProcessRunner(self._settings.data_dir)
        return SimulatorService(self._bus, self._wall_clock, record.jobs, runner, jobs_at_once())

    def page(self, record: SharedRecord) -> PageGroup:
        """Return what makes the page's service."""
        from vela.bootstrap.page import PageGroup  # noqa: PLC0415  heavy libraries, needed only here

        return PageGroup(
            self._settings,
            self._market,
            lambda: self._strategies,
            self._transport,
            self._wall_clock,
            self._store,
            record,
        )


def _among(enterable: frozenset[TradingSymbol] | None, limits: Limits) -> Limits:
    """Let nothing but `enterable` be entered, and of that no more than the limits allow."""
    if enterable is None:
        return limits
    allowed = enterable if limits.allowed_symbols is None else enterable & limits.allowed_symbols
    return msgspec.structs.replace(limits, allowed_symbols=allowed)


async def note_configuration(
    record: SharedRecord, settings: Settings, market: Marketplace, strategies: Mapping[TradingSymbol, Strategy]
) -> None:
    """Write down by what is traded from now on.

    Raises:
        StorageError: that could not be written.
    """
    instruments = sorted(market.instruments(), key=lambda instrument: instrument.symbol)
    chosen = [(instrument, strategies[instrument.symbol]) for instrument in instruments]
    record.configurations.keep(
        Configuration(
            since=market.start_of(await record.journal.cursor()),
            rules=settings.rules,
            symbols=tuple(
                SymbolConfiguration(instrument, reference(type(strategy)), strategy.settings)
                for instrument, strategy in chosen
            ),
        )
    )


def claim(record: SharedRecord, market: Marketplace) -> None:
    """Make sure that the record is about this market.

    Raises:
        ConfigurationError: it is about another one.
        StorageError: that cannot be found out.
    """
    identity = record.claim(market.identity)
    for key, value in market.identity.items():
        if identity[key] != value:
            raise ConfigurationError(
                f"the record holds an account on another market: {key} was {identity[key]!r}, now {value!r}; "
                "accepted: the same market, or another --data-dir or --database"
            )
