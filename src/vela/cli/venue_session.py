"""Runs a venue on a terminal: what is printed, the way out."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import partial

from vela.bootstrap.logs import set_up_logs
from vela.bootstrap.settings import Settings
from vela.bootstrap.venue import VenueReady, VenueSettings, run_venue
from vela.dashboard.auth import url_host
from vela.domain.errors import ConfigurationError, MoneyError
from vela.domain.money import exact
from vela.domain.trading_symbol import TradingSymbol


def read_balances(texts: Sequence[str]) -> dict[str, Decimal]:
    """Read amounts such as `USDT=10000`.

    Raises:
        ConfigurationError: one is not written like that, or below zero.
    """
    return {asset.upper(): amount for asset, amount in _amounts("balance", texts, "an asset and an amount, USDT=10000")}


def read_prices(texts: Sequence[str]) -> dict[TradingSymbol, Decimal]:
    """Read prices such as `BTC=100`.

    Raises:
        ConfigurationError: one is not written like that, or below zero.
        SymbolError: one is of no symbol.
    """
    amounts = _amounts("price", texts, "a symbol and a price, BTC=100")
    return {TradingSymbol.from_str(symbol): amount for symbol, amount in amounts}


def _amounts(what: str, texts: Sequence[str], accepted: str) -> Iterator[tuple[str, Decimal]]:
    for text in texts:
        name, _, written = text.partition("=")
        try:
            amount = exact(written)
        except MoneyError:
            raise ConfigurationError(f"{what} {text[:40]!r}; accepted: {accepted}") from None
        if amount < 0:
            raise ConfigurationError(f"{what} {text[:40]!r}; accepted: 0 or more")
        yield name.strip(), amount


def run_session(dialect: str, settings: Settings, venue: VenueSettings) -> None:
    """Serve until Ctrl-C.

    Raises:
        VelaError: a setting makes no sense, or a port cannot be had.
    """
    set_up_logs()
    asyncio.run(_run(dialect, settings, venue))


async def _run(dialect: str, settings: Settings, venue: VenueSettings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await run_venue(settings, venue, stop, partial(_greet, dialect, venue))


def _greet(dialect: str, venue: VenueSettings, ready: VenueReady) -> None:
    host = url_host(venue.host)
    sys.stderr.write(
        f"Venue ({dialect}) · {ready.market} · {ready.symbols}\n"
        f"REST http://{host}:{ready.port}/api/v3 · streams ws://{host}:{ready.port}/ws and /stream · "
        f"API ws://{host}:{ready.port}/ws-api/v3\n"
        f"Control http://{host}:{ready.control_port} · key {venue.api_key} · secret {venue.api_secret}\n"
        "Ctrl-C stops.\n"
    )
    sys.stderr.flush()
