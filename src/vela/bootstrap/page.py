"""The page's wiring. Imported only where a page is served, because its libraries are heavy."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from vela.adapters.clock import SystemClock
from vela.adapters.storage.lock import LOCK_FILE
from vela.adapters.storage.parquet import ParquetCandleStore
from vela.adapters.storage.sql.record import SharedRecord
from vela.bootstrap.jobs import all_strategies, read_request
from vela.bootstrap.marketplace import Marketplace
from vela.bootstrap.settings import Settings
from vela.bootstrap.transport import Transport
from vela.dashboard.auth import LoginTokens, url_host
from vela.dashboard.facts import Newcomer, SessionFacts, Workshop
from vela.domain.candles import Candles
from vela.domain.errors import ConfigurationError
from vela.domain.instrument import Instrument
from vela.domain.money import plain
from vela.domain.trading_symbol import TradingSymbol
from vela.ports.clock import Clock
from vela.ports.latest_values import PRICES
from vela.services.dashboard import DashboardService, PageSettings
from vela.services.service import Service
from vela.strategies.base import Strategy
from vela.version import __version__

SERVICES = ("market-data", "historical", "brain", "orders", "persistence", "simulator", "dashboard")


class PageGroup:
    """Builds the dashboard service of a session, as often as it is needed."""

    def __init__(
        self,
        settings: Settings,
        market: Marketplace,
        strategies: Callable[[], Mapping[TradingSymbol, Strategy]],
        transport: Transport,
        wall_clock: Clock,
        store: ParquetCandleStore,
        record: SharedRecord,
    ) -> None:
        """`store`, `record`: where the page finds what happened before it started."""
        self._settings = settings
        self._market = market
        self._strategies = strategies
        self._bus, self._latest = transport.bus, transport.latest
        self._wall_clock = wall_clock
        self._store = store
        self._record = record
        self._told_until = 0
        self._service: DashboardService | None = None

    async def build(self) -> Sequence[Service]:
        """Return a fresh dashboard service."""
        prices = await self._latest.get(PRICES, self._market.symbols)
        now = self._market.clock(await self._record.journal.cursor()).now()
        self._told_until = max([now, *(price.time for price in prices.values())])
        self._service = DashboardService(
            self._bus,
            self._wall_clock,
            reader=lambda: self._record.reader,
            history=self._history,
            facts=self._facts(),
            settings=PageSettings(self._settings.data_dir, self._settings.host, self._settings.port),
            workshop=self._workshop(),
            latest=self._latest,
        )
        return [self._service]

    @property
    def url(self) -> str:
        """The page's address."""
        return f"http://{url_host(self._settings.host)}:{self._settings.port}/"

    @property
    def login_link(self) -> str | None:
        """The link for the first login; None where somebody has logged in before."""
        return None if self._service is None else self._service.first_start_link()

    def _history(self, symbol: TradingSymbol, before: int | None, count: int) -> Candles:
        # A simulated market that was played further before has left candles of times that are still to come.
        before = self._told_until if before is None else before
        return self._store.read(self._market.exchange, symbol, self._market.timeframe, before=before, count=count)

    def _workshop(self) -> Workshop:
        async def strategies() -> tuple[Sequence[Mapping[str, Any]], str]:
            found = await all_strategies()
            return found.strategies, found.problem

        read = partial(read_request, data_dir=str(self._settings.data_dir))
        return Workshop(self._bus.publish, self._record.jobs, read, strategies, self._store.series)

    def _newcomer(self, symbol: TradingSymbol) -> Newcomer:
        rules = {instrument.symbol: instrument for instrument in self._market.instruments()}
        strategy = self._strategies().get(symbol)
        return Newcomer(rules.get(symbol, Instrument.raw(symbol)), "" if strategy is None else strategy.name)

    def _facts(self) -> SessionFacts:
        settings, rules = self._settings, self._settings.rules
        return SessionFacts(
            version=__version__,
            mode=self._market.mode,
            market=self._market.title,
            timeframe=self._market.timeframe,
            speed="max" if self._market.speed is None else f"{self._market.speed:g}",
            quote=rules.quote,
            initial_capital=rules.initial_capital,
            instruments=tuple(self._market.instruments()),
            strategies={symbol: strategy.name for symbol, strategy in self._strategies().items()},
            newcomer=self._newcomer,
            services=SERVICES,
            settings={
                "stake": str(rules.stake),
                "max_positions": rules.max_positions,
                "stop_loss_pct": plain(settings.stop_loss),
                "take_profit_pct": plain(settings.take_profit),
                "take_profit_part_pct": plain(settings.take_profit_part),
                "trailing_pct": plain(settings.trailing),
                "fee": plain(rules.fee_rate),
                "slippage": plain(settings.slippage),
                "impact": plain(settings.impact),
                "cooldown_ms": rules.cooldown_ms,
            },
        )


def new_login_link(settings: Settings) -> str:
    """Return a link that logs a browser into the page of the settings' data directory, once.

    Raises:
        ConfigurationError: nothing is kept in the directory, or it cannot be used.
    """
    if not (settings.data_dir / LOCK_FILE).exists():
        raise ConfigurationError(
            f"data_dir {str(settings.data_dir)!r} holds no account; accepted: the --data-dir of a running vela up"
        )
    return LoginTokens(settings.data_dir, SystemClock().now).new_link(settings.host, settings.port)
