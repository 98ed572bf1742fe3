"""All services, wired as always, trading on an account at the venue."""

from __future__ import annotations

import asyncio
from asyncio import FIRST_COMPLETED
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.builders import ETH
from tests.fakes import Listener
from tests.integration.venue_server import KEY, SECRET, RunningVenue

from vela.adapters.exchanges.unified.connection import Credentials
from vela.bootstrap.application import Application
from vela.bootstrap.exchange_marketplace import ExchangeMarketplace
from vela.bootstrap.settings import Settings, load_settings
from vela.domain.events import PricesMoved

CREDENTIALS = Credentials(KEY, SECRET)


def settings(venue: RunningVenue, folder: Path) -> Settings:
    options = {"exchange": "binance", "exchange_url": venue.http, "symbols": "BTC,ETH", "page": False, "live": True}
    return load_settings({**options, "cooldown": "0", "data_dir": str(folder / "data")}, {}, folder / "vela.toml")


def priced(venue: RunningVenue, heard: Listener) -> bool:
    """Move ETH's market a little and say whether its price was heard of."""
    venue.control.post("/price", json={"symbol": "ETH", "price": "50"}).raise_for_status()
    return any(tick.symbol == ETH for prices in heard.of(PricesMoved) for tick in prices.ticks)


@asynccontextmanager
async def session(chosen: Settings) -> AsyncIterator[tuple[Listener, Application]]:
    """Run all services on the account at the venue."""
    application = Application(chosen, until_end=False, marketplace=ExchangeMarketplace(chosen, CREDENTIALS))
    heard, stop, ready = Listener(application._bus), asyncio.Event(), asyncio.Event()
    running = asyncio.create_task(application.run(stop, lambda _: ready.set()))
    try:
        await asyncio.wait([running, greeted := asyncio.create_task(ready.wait())], return_when=FIRST_COMPLETED)
        greeted.cancel()
        if running.done():
            running.result()
        yield heard, application
    finally:
        stop.set()
        await asyncio.wait([running])
