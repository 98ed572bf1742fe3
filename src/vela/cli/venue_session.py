"""Runs a venue on a terminal: what is printed, the way out."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Sequence
from decimal import Decimal
from functools import partial

from vela.bootstrap.logs import set_up_logs
from vela.bootstrap.settings import Settings
from vela.bootstrap.venue import VenueReady, VenueSettings, run_venue
from vela.dashboard.auth import url_host
from vela.domain.errors import ConfigurationError, MoneyError
from vela.domain.money import exact


def read_balances(texts: Sequence[str]) -> dict[str, Decimal]:
    """Read amounts such as `USDT=10000`.

    Raises:
        ConfigurationError: one is not written like that, or below zero.
    """
    balances = {}
    for text in texts:
        asset, _, amount = text.partition("=")
        try:
            balances[asset.strip().upper()] = exact(amount)
        except MoneyError:
            raise ConfigurationError(f"balance {text[:40]!r}; accepted: an asset and an amount, USDT=10000") from None
        if balances[asset.strip().upper()] < 0:
            raise ConfigurationError(f"balance {text[:40]!r}; accepted: 0 or more")
    return balances


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
