"""A venue on real ports, in a thread of its own, for tests of clients."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, cast

import httpx

from vela.bootstrap.settings import load_settings
from vela.bootstrap.venue import VenueReady, VenueSettings, run_venue

KEY, SECRET = "test-key", "test-secret"
MARKET = {"symbols": "BTC,ETH", "seed": 3, "speed": 600}


class RunningVenue:
    def __init__(self, ready: VenueReady) -> None:
        self.http = f"http://127.0.0.1:{ready.port}"
        self.ws = f"ws://127.0.0.1:{ready.port}"
        self.control = httpx.Client(base_url=f"http://127.0.0.1:{ready.control_port}", trust_env=False)

    def truth(self) -> list[dict[str, Any]]:
        return cast("list[dict[str, Any]]", self.control.get("/truth").json())

    def fault(self, endpoint: str, kind: str, **more) -> None:
        answer = self.control.post("/faults", json={"endpoint": endpoint, "kind": kind, **more})
        assert answer.status_code == 200, answer.text


@contextmanager
def running_venue(market: dict[str, Any] | None = None, **options) -> Iterator[RunningVenue]:
    balances = {"USDT": Decimal(1_000_000), "BTC": Decimal(10)}
    chosen: dict[str, Any] = {"balances": balances, "api_key": KEY, "api_secret": SECRET, **options}
    settings = VenueSettings(port=0, control_port=0, **chosen)
    loop, stop, started = asyncio.new_event_loop(), asyncio.Event(), threading.Event()
    ready: list[VenueReady] = []

    def on_ready(what: VenueReady) -> None:
        ready.append(what)
        started.set()

    def run() -> None:
        try:
            loop.run_until_complete(run_venue(load_settings(MARKET | (market or {}), {}), settings, stop, on_ready))
        finally:
            started.set()
            loop.close()

    thread = threading.Thread(target=run)
    thread.start()
    assert started.wait(30)
    venue = RunningVenue(ready[0])
    try:
        yield venue
    finally:
        venue.control.close()
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
