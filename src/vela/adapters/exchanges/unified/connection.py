"""A connection to an exchange: what is opened once and shared by all who use it."""

from __future__ import annotations

import asyncio
import functools
import logging
import ssl
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from types import SimpleNamespace
from typing import NamedTuple

import aiohttp

from vela.adapters.exchanges.unified.budget import RequestBudget
from vela.adapters.exchanges.unified.calls import Calls
from vela.adapters.exchanges.unified.client import ExchangeClient
from vela.adapters.exchanges.unified.execution import FOLLOW_UP, LiveExecution
from vela.adapters.exchanges.unified.feed import FeedPatience, LiveFeed
from vela.adapters.exchanges.unified.history import Ohlcv
from vela.adapters.exchanges.unified.listings import Listings
from vela.adapters.exchanges.unified.sending import point_of_sent
from vela.adapters.exchanges.unified.streams import CandleHistory, MarketStreams
from vela.domain.crashpoints import crashpoint
from vela.domain.errors import VelaError, VenueUnavailable
from vela.domain.instrument import Instrument
from vela.domain.timeframe import Timeframe
from vela.domain.trading_symbol import TradingSymbol
from vela.engine.universe import Activity
from vela.ports.clock import Clock
from vela.ports.execution import FollowUp

_COMMANDS = {"POST", "DELETE"}


@dataclass(frozen=True, slots=True)
class Credentials:
    """An API key of an account; never shown."""

    key: str = field(repr=False)
    secret: str = field(repr=False)


class KeyRights(NamedTuple):
    """What a key allows."""

    can_trade: bool
    can_withdraw: bool


class Connection(ABC):
    """An exchange that is traded at. Nothing is asked before `open`; then `close` it."""

    name: str
    _listings: Listings
    _session: aiohttp.ClientSession

    def __init__(self, client: ExchangeClient, clock: Clock, budget: RequestBudget) -> None:
        """`client`: of ccxt. `clock`: the machine's. `budget`: of all requests."""
        self._client = client
        self._clock = clock
        self._calls = client.calls = Calls(clock, budget, client.fetch_time)

    # -------------------------------------------------------------------------------------- what each exchange says

    @abstractmethod
    async def key_rights(self) -> KeyRights:
        """Return what the key allows, as the exchange says.

        Raises:
            VenueUnavailable: the exchange does not say so: nothing is proven.
            CredentialsRefused: the key is refused altogether.
        """

    async def fee_asset(self) -> str | None:
        """Return the asset that all fees are taken in while there is any of it; None: there is none, or nobody says."""
        return None

    @abstractmethod
    def execution(self, symbols: Iterable[TradingSymbol], follow_up: FollowUp = FOLLOW_UP) -> LiveExecution:
        """Return the exchange's private side.

        Args:
            symbols: what is traded, or was and may have orders left.
            follow_up: how orders have to be looked after.
        """

    @abstractmethod
    def _streams(self) -> MarketStreams:
        """Return the exchange's public sockets."""

    # ---------------------------------------------------------------------------------------------- the same for all

    async def open(self) -> None:
        """Reach the exchange, set the clock, read what is listed. Its assets are known from now on.

        Raises:
            VenueUnavailable: it cannot be reached, or does not answer as it should.
        """
        logging.getLogger("ccxt").setLevel(logging.WARNING)  # below that it writes keys and signatures
        self._client.ssl_context = trusted(self._client.cafile)
        self._session = _session(self._client.ssl_context)
        self._client.session, self._client.own_session = self._session, False
        try:
            await self._calls.market(self._calls.set_clock)
            markets = await self._calls.market(self._client.load_markets)
        except VelaError as problem:
            await self.close()
            raise VenueUnavailable(f"{self.name} cannot be used: {problem}") from None
        self._listings = Listings(self.name, markets.values())

    async def close(self) -> None:
        """Close all sockets."""
        await self._client.close()
        await self._session.close()

    def clock_offset(self) -> int:
        """Return by how many ms the exchange's clock is ahead of ours."""
        return self._calls.offset_ms

    def is_listed(self, symbol: TradingSymbol) -> bool:
        """Say whether a symbol is known to the exchange, halted or not."""
        return symbol in self._listings

    def instruments(self, symbols: Iterable[TradingSymbol]) -> list[Instrument]:
        """Return trading rules, of symbols that are halted as well.

        Raises:
            ConfigurationError: a symbol is not listed.
        """
        return [self._listings[symbol].instrument for symbol in symbols]

    def require_trading(self, symbols: Iterable[TradingSymbol]) -> None:
        """Check that orders are taken.

        Raises:
            ConfigurationError: a symbol is not listed, or not traded now.
        """
        self._listings.require_trading(symbols)

    async def relist(self) -> None:
        """Read anew what is listed. Feeds and executions that were returned before go on with what was listed then.

        Raises:
            VenueUnavailable: no answer that can be used; what was listed before is still there.
        """
        markets = await self._calls.market(partial(self._client.load_markets, True))  # noqa: FBT003  as ccxt has it
        self._listings = Listings(self.name, markets.values())

    async def activity(self) -> list[Activity]:
        """Return the last 24 hours of every symbol for which orders are taken.

        Raises:
            VenueUnavailable: no answer that can be used.
        """
        tickers = await self._calls.market(self._client.fetch_tickers)
        return self._listings.activity(tickers)

    def history(self) -> CandleHistory:
        """Return the exchange's candles of the past."""
        return Ohlcv(self._client, self._calls, self._listings)

    def feed(
        self,
        symbols: Iterable[TradingSymbol],
        timeframe: Timeframe,
        clock: Clock,
        settled: Callable[[], Awaitable[None]],
        *,
        patience: FeedPatience | None = None,
    ) -> LiveFeed:
        """Return the exchange's public side; one at a time can be read.

        Args:
            symbols: what is read.
            timeframe: length of the candles.
            clock: the market's time.
            settled: returns when all that followed from what was yielded has been handled.
            patience: how long to wait for what.

        Raises:
            ConfigurationError: a symbol is not listed.
        """
        rules = self.instruments(symbols)
        return LiveFeed(self._streams(), self.history(), rules, timeframe, clock, settled, patience=patience)


@functools.cache
def trusted(cafile: str) -> ssl.SSLContext:
    """Return what certificates of a file let a server prove; reading them takes some 20 ms."""
    return ssl.create_default_context(cafile=cafile)


def _session(context: ssl.SSLContext) -> aiohttp.ClientSession:
    trace = aiohttp.TraceConfig()
    trace.on_request_chunk_sent.append(_on_body)
    trace.on_request_end.append(_on_answer)
    connector = aiohttp.TCPConnector(ssl=context)
    return aiohttp.ClientSession(connector=connector, trust_env=False, trace_configs=[trace])


async def _on_body(
    _session: aiohttp.ClientSession, _context: SimpleNamespace, sent: aiohttp.TraceRequestChunkSentParams
) -> None:
    if sent.method in _COMMANDS:  # we are told just before the bytes are written: a turn of the loop later they are
        asyncio.get_running_loop().call_soon(crashpoint, point_of_sent())


async def _on_answer(
    _session: aiohttp.ClientSession, _context: SimpleNamespace, answer: aiohttp.TraceRequestEndParams
) -> None:
    if answer.method in _COMMANDS:
        crashpoint("P07")
