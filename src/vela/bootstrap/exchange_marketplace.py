"""An exchange as the place where a session trades: its market, and a paper account or the real one."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence

from typing_extensions import override

from vela.adapters.clock import SystemClock
from vela.adapters.exchanges.live import connect
from vela.adapters.exchanges.unified.connection import Connection, Credentials
from vela.adapters.exchanges.unified.execution import FOLLOW_UP
from vela.adapters.storage.lock import AccountLock
from vela.adapters.storage.sql.database import Purpose
from vela.adapters.storage.sql.record import Record, SharedRecord
from vela.bootstrap.candle_settings import stored_as
from vela.bootstrap.live_trading import account_locks, require_capital, require_fees_apart, require_safe
from vela.bootstrap.marketplace import Marketplace, Settled, paper_account
from vela.bootstrap.settings import DEFAULT_SYMBOLS, Settings
from vela.bootstrap.universe import HOUR_MS, Choice, News, failed
from vela.domain.errors import ConfigurationError, StorageUnavailable, VelaError
from vela.domain.instrument import Instrument
from vela.domain.timeframe import Timeframe
from vela.domain.trading_symbol import TradingSymbol, parse_symbol_list
from vela.engine.rules import TradingRules
from vela.ports.clock import Clock
from vela.ports.execution import Execution, FollowUp
from vela.ports.market_data import MarketData

_FOLLOW_SECONDS = 1.0
_ASK_AGAIN_MS = Timeframe.M5.milliseconds


class ExchangeMarketplace(Marketplace):
    """A real exchange, or a server that speaks like one."""

    has_end = False
    speed = 1.0
    strategy_seconds = 5.0

    def __init__(
        self,
        settings: Settings,
        credentials: Credentials | None,
        follow_up: FollowUp | None = None,
        hours: Clock | None = None,
    ) -> None:
        """Prepare to trade.

        Args:
            settings: all of them.
            credentials: of the account that is traded with real money; None: on paper, or another process trades.
            follow_up: how orders there have to be looked after; None: as a real exchange needs it.
            hours: tells when symbols are chosen anew; None: the machine's clock.
        """
        self._settings = settings
        self._credentials = credentials
        self._follow_up = follow_up or FOLLOW_UP
        self._connection: Connection | None = None
        self._lock: AccountLock | None = None
        self._kept: Mapping[TradingSymbol, Instrument] = {}
        self._clock = SystemClock()
        self._hours = hours or self._clock
        universe = settings.universe_rules
        self._choice = None if universe is None else Choice(universe, settings.rules.quote)
        self._left_out: str | None = None
        self._first_news = News()
        self._former: set[TradingSymbol] = set()
        name = str(settings.exchange)
        where = name if settings.exchange_url is None else f"{name} at {settings.exchange_url}"
        is_paper = credentials is None and not settings.live
        self.title = f"{where}, live prices" if is_paper else where
        self.mode = "paper" if is_paper else "live"
        self.exchange = stored_as(name, settings.exchange_url)
        self.symbols = settings.symbols or tuple(parse_symbol_list(DEFAULT_SYMBOLS))
        if self._choice is not None:
            self.symbols = ()
        self.timeframe = settings.timeframe or Timeframe.M1
        self.durability = Purpose.JOURNAL if credentials is None else Purpose.TRADING
        account = "paper" if credentials is None else _digest(credentials)
        self.identity = {
            "market": where,
            "symbols": ",".join(map(str, self.symbols)) if self._choice is None else "universe",
            "timeframe": self.timeframe.value,
        } | ({"account": account} if credentials is not None or is_paper else {})  # only who has the key knows it

    async def open(self, record: SharedRecord) -> None:
        """See `Marketplace.open`.

        Raises:
            VenueUnavailable: the exchange cannot be reached.
            ConfigurationError: the account, its key or this machine's clock is not fit to be traded with.
            StorageLocked: another instance trades on the account.
        """
        if self._credentials is not None:
            self._lock = AccountLock(account_locks(), _digest(self._credentials))
        connection = self._connection = await connect(
            str(self._settings.exchange), self._credentials, self._clock, base_url=self._settings.exchange_url
        )
        if self._credentials is not None:
            await require_safe(connection)
        if self._choice is None:
            self._strand(_kept_rules(record))
        elif isinstance(record, Record):
            await self._begin(record, self._choice)
        await self.gather(record)
        connection.instruments(self._listed)
        if not isinstance(record, Record):  # another process trades
            return
        is_new = not (await record.trading.load()).balances
        if is_new:  # positions are looked after, even if one of their symbols is halted
            connection.require_trading(self.symbols)
        if self._credentials is not None and is_new:  # one that holds something is looked after, whatever its fees are
            rules = self._settings.rules
            await require_fees_apart(connection, self.symbols)
            await require_capital(connection.execution(self.symbols), rules.quote, rules.initial_capital)

    # ---------------------------------------------------------------------------------------------- chosen every hour

    async def _begin(self, record: Record, choice: Choice) -> None:
        if self._credentials is not None:  # fees would be taken out of its position
            self._left_out = await self._connected.fee_asset()
        before, held = _kept_rules(record).keys(), await _held(record)
        self._first_news = await choice.begin(self._connected, before, held, self._left_out)

    @override
    async def gather(self, record: SharedRecord) -> bool:
        """See `Marketplace.gather`. Who trades writes down what it has taken, and the others follow the record."""
        if self._choice is None:
            return True
        if isinstance(record, Record):
            universe = self._choice.holding(await _held(record))
            self.symbols, self.enterable = universe.symbols, frozenset(universe.chosen)
        else:
            await self._follow(record)
        self._former.update(self.symbols)
        self._strand(_kept_rules(record))
        return bool(self.symbols)

    async def _follow(self, record: SharedRecord) -> None:
        symbols = tuple(sorted(_kept_rules(record)))
        if self.symbols and symbols != self.symbols:
            await self._connected.relist()
        self.symbols = symbols

    @override
    async def news(self, record: SharedRecord) -> AsyncIterator[News]:
        """See `Marketplace.news`. Who trades looks at the market every hour, the others look at the record."""
        if self._choice is None:
            return
        if not isinstance(record, Record):
            while True:
                await self._clock.sleep(_FOLLOW_SECONDS)
                if self._is_outdated(record):
                    yield News(is_change=True)
        yield News(self._first_news.text, self._first_news.level)
        told = self._first_news
        while True:
            now, pause = self._hours.now(), _ASK_AGAIN_MS if told.is_unanswered else HOUR_MS
            await self._hours.sleep_until(now - now % pause + pause)
            news = await self._look(record, self._choice)
            if not news.is_unanswered or news != told:  # the same trouble is told once
                yield news
            told = news

    async def _look(self, record: Record, choice: Choice) -> News:
        try:
            await self._connected.relist()
            found = await choice.look(self._connected, self._left_out)
            held = {position.symbol for position in record.reader.positions()}
        except VelaError as problem:
            return failed(problem)
        wanted = choice.holding(held)
        if not found.is_change and set(wanted.symbols) != set(self.symbols):
            return News(is_change=True)  # what was kept is sold, or can be traded no more
        return found

    def _is_outdated(self, record: SharedRecord) -> bool:
        try:
            return set(_kept_rules(record)) != set(self.symbols)
        except StorageUnavailable:  # it is asked again
            return False

    # ----------------------------------------------------------------------------------------------------- the market

    def _strand(self, kept: Mapping[TradingSymbol, Instrument]) -> None:
        """Let symbols that the exchange lists no more not keep the others from being traded.

        Args:
            kept: rules by which symbols were traded here before; one that never was must be listed.
        """
        gone = {one for one in self.symbols if one in kept and not self._connected.is_listed(one)}
        if len(gone) < len(self.symbols):  # with none of them left there is nothing to go on with
            self._kept = {symbol: kept[symbol] for symbol in gone}
            self.stranded = tuple(sorted(gone))

    @property
    def _listed(self) -> list[TradingSymbol]:
        return [symbol for symbol in self.symbols if symbol not in self._kept]

    async def close(self) -> None:
        """See `Marketplace.close`."""
        if self._connection is not None:
            await self._connection.close()
        if self._lock is not None:
            self._lock.release()

    def instruments(self) -> Sequence[Instrument]:
        """See `Marketplace.instruments`."""
        return [*self._connected.instruments(self._listed), *self._kept.values()]

    @override
    def start_of(self, cursor: int | None) -> int:
        """See `Marketplace.start_of`. A market that is really there does not wait."""
        return self._clock.now()

    @override
    def clock(self, cursor: int | None) -> Clock:
        """See `Marketplace.clock`."""
        return self._clock

    def history(self, clock: Clock) -> MarketData:
        """See `Marketplace.history`."""
        chosen = () if self._choice is None else self._choice.chosen
        # What comes next, too: it is fetched while what is there still trades.
        listed = filter(self._connected.is_listed, dict.fromkeys((*self._listed, *chosen)))
        return self._connected.feed(listed, self.timeframe, clock, _nobody_waits)

    @override
    def feed(self, clock: Clock, settled: Settled, cursor: int | None) -> MarketData:
        """See `Marketplace.feed`. What was missed is asked for when the next candle comes."""
        return self._connected.feed(self._listed, self.timeframe, clock, settled)

    def execution(self, record: Record, rules: TradingRules) -> Execution:
        """See `Marketplace.execution`."""
        if self._credentials is None:
            return paper_account(record, self.instruments(), rules)
        listed = filter(self._connected.is_listed, dict.fromkeys((*self._listed, *sorted(self._former))))
        return self._connected.execution(listed, self._follow_up)

    @property
    def _connected(self) -> Connection:
        if self._connection is None:
            raise ConfigurationError(f"{self.title} is not connected; accepted: after `open`")
        return self._connection


async def _held(record: Record) -> frozenset[TradingSymbol]:
    """Return the symbols of positions, and of orders that may become some."""
    account = await record.trading.load()
    return frozenset({one.symbol for one in account.positions} | {one.symbol for one in account.orders})


def _kept_rules(record: SharedRecord) -> dict[TradingSymbol, Instrument]:
    configuration = record.configurations.newest()
    used = () if configuration is None else configuration.symbols
    return {one.instrument.symbol: one.instrument for one in used}


def _digest(credentials: Credentials) -> str:
    # Tells accounts apart, and tells nobody the key.
    return hashlib.sha256(credentials.key.encode()).hexdigest()[:16]


async def _nobody_waits() -> None:
    pass
