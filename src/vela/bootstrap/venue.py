"""Wiring of the simulated exchange as a server: the market it plays, its ports, its way out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TextIO

from starlette.types import ASGIApp

from vela.adapters.clock import SystemClock
from vela.bootstrap.played import Played, open_played, with_rules
from vela.bootstrap.settings import Settings
from vela.dashboard.server import PageServer, bind
from vela.domain.errors import ConfigurationError, VelaError
from vela.domain.instrument import Instrument
from vela.domain.trading_symbol import TradingSymbol
from vela.ports.market_data import MarketData
from vela.simulation.depth import flat_offers, spread_offers
from vela.simulation.liquidity import MadeUpBook
from vela.simulation.spot_exchange import SpotExchange
from vela.simulation.spot_fees import SpotFees
from vela.venue.binance.app import binance_app
from vela.venue.binance.desk import Desk, Terms
from vela.venue.connections import CuttableHttp, CuttableSocket
from vela.venue.control import Control
from vela.venue.faults import FaultPlan
from vela.venue.truth import TruthWriter
from vela.venue.venue import Venue, open_venue

_PING_SECONDS = 20.0
_PONG_SECONDS = 60.0  # without a pong for so long a socket is closed
_IDLE_SECONDS = 60  # longer than clients keep a connection that rests: who closes first must be they, not a venue
_DEFAULT_BALANCE = Decimal(10_000)  # of every quote
_FEES = SpotFees(Decimal("0.001"), Decimal("0.001"))


@dataclass(frozen=True, slots=True)
class VenueSettings(Terms):
    """What a venue is beyond its market.

    Attributes:
        host, port, control_port: where it listens; port 0 takes any free one.
        balances: at the start, by asset; empty: 10,000 of every quote.
        fees: what trades cost.
        prices: at which a still market stands, in quote per base; of symbols left out: as in the made-up market.
        begins_now: a still market begins with the candle of now, not long ago.
        flat_book: everything is offered at the price itself.
        truth: a file to which every event is appended; None: kept in memory only.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    control_port: int = 8081
    balances: Mapping[str, Decimal] = field(default_factory=dict)
    fees: SpotFees = _FEES
    prices: Mapping[TradingSymbol, Decimal] = field(default_factory=dict)
    begins_now: bool = False
    flat_book: bool = False
    truth: Path | None = None


@dataclass(frozen=True, slots=True)
class VenueReady:
    """A venue that listens. `port`, `control_port`: the real ones. `market`: for people."""

    port: int
    control_port: int
    market: str
    symbols: str


async def run_venue(
    settings: Settings, venue_settings: VenueSettings, stop: asyncio.Event, on_ready: Callable[[VenueReady], None]
) -> None:
    """Serve until `stop`; a market that ends leaves its last prices standing.

    Raises:
        ConfigurationError: a setting makes no sense, or a port cannot be had.
        CandleError: a recording cannot be used.
    """
    played = open_played(settings, venue_settings.prices, SystemClock().now(), begins_now=venue_settings.begins_now)
    await serve_market(played, venue_settings, stop, on_ready)


async def serve_market(
    played: Played, venue_settings: VenueSettings, stop: asyncio.Event, on_ready: Callable[[VenueReady], None]
) -> None:
    """Serve a market that somebody else made until `stop`.

    Raises:
        ConfigurationError: a setting makes no sense, or a port cannot be had.
    """
    wall = SystemClock()
    instruments = with_rules(played.market.instruments())
    exchange = SpotExchange(
        instruments,
        _balances(venue_settings.balances, instruments),
        fees=_fees(venue_settings.fees, instruments),
        liquidity=MadeUpBook(flat_offers if venue_settings.flat_book else partial(spread_offers, seed=played.seed)),
    )
    venue = await open_venue(played.market, exchange, played.start, wall)
    plan = FaultPlan(played.seed)
    desk = Desk(venue, venue_settings, played.seed)
    with ExitStack() as stack:
        if venue_settings.truth is not None:
            venue.listen(TruthWriter(stack.enter_context(_opened(venue_settings.truth))))
        ports = (venue_settings.port, venue_settings.control_port)
        apps = (binance_app(desk, plan, wall), Control(venue, plan, played.still).app())
        servers = [_server(app, venue_settings.host, port, stack) for app, port in zip(apps, ports, strict=True)]
        symbols = ", ".join(map(str, exchange.instruments))
        on_ready(VenueReady(servers[0][1], servers[1][1], played.title, symbols))
        await _serve([server for server, _ in servers], venue, played.market, stop)


def _balances(given: Mapping[str, Decimal], instruments: Sequence[Instrument]) -> dict[str, Decimal]:
    symbols = [rules.symbol for rules in instruments]
    assets = {asset for symbol in symbols for asset in (symbol.base, symbol.quote.value)}
    unknown = given.keys() - assets
    if unknown:
        raise ConfigurationError(f"balance of {', '.join(sorted(unknown))}; accepted: {', '.join(sorted(assets))}")
    start = given or {symbol.quote.value: _DEFAULT_BALANCE for symbol in symbols}
    return dict.fromkeys(sorted(assets), Decimal(0)) | dict(start)


def _fees(fees: SpotFees, instruments: Sequence[Instrument]) -> SpotFees:
    bases = [rules.symbol.base for rules in instruments]
    if fees.asset not in {None, *bases}:
        raise ConfigurationError(f"fee asset {fees.asset} has no price here; accepted: {', '.join(bases)}")
    return fees


def _opened(path: Path) -> TextIO:
    try:
        return path.open("a", encoding="utf-8")
    except OSError as problem:
        raise ConfigurationError(f"truth {str(path)!r} cannot be written; accepted: a file of yours") from problem


def _server(app: ASGIApp, host: str, port: int, stack: ExitStack) -> tuple[PageServer, int]:
    bound = bind(host, port)
    server = PageServer(app, bound)
    stack.callback(server.close)
    server.config.timeout_keep_alive = _IDLE_SECONDS
    server.config.http = CuttableHttp
    server.config.ws = CuttableSocket
    server.config.ws_ping_interval, server.config.ws_ping_timeout = _PING_SECONDS, _PONG_SECONDS
    return server, int(bound.getsockname()[1])


async def _serve(servers: Sequence[PageServer], venue: Venue, market: MarketData, stop: asyncio.Event) -> None:
    try:
        async with asyncio.TaskGroup() as group:
            playing = group.create_task(venue.play(market))
            for server in servers:
                group.create_task(server.run_until_stopped())
            await stop.wait()
            playing.cancel()
            for server in servers:
                server.stop()
    except* VelaError as problems:
        raise problems.exceptions[0] from None
