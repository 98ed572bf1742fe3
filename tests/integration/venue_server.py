"""A venue on real ports, in a thread of its own, for tests of clients."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, cast
from urllib.parse import urlencode

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

    def call(
        self, method: str, path: str, *, in_body: bool = False, key: str = KEY, **parameters: Any
    ) -> httpx.Response:
        """Send a signed request; the clock is the machine's."""
        sent = urlencode({"timestamp": time.time_ns() // 1_000_000, **parameters})
        signature = hmac.new(SECRET.encode(), sent.encode(), hashlib.sha256).hexdigest()
        sent = f"{sent}&signature={signature}"
        url = f"{self.http}/api/v3/{path}" if in_body else f"{self.http}/api/v3/{path}?{sent}"
        content = sent if in_body else None
        with httpx.Client(trust_env=False, timeout=5) as client:
            return client.request(method, url, content=content, headers={"X-MBX-APIKEY": key})

    def listen_key(self) -> str:
        with httpx.Client(trust_env=False, timeout=5, headers={"X-MBX-APIKEY": KEY}) as client:
            return str(client.post(f"{self.http}/api/v3/userDataStream").json()["listenKey"])

    def public(self, path: str) -> Any:
        with httpx.Client(trust_env=False, timeout=5) as client:
            return client.get(f"{self.http}/api/v3/{path}").json()

    def order(self, **parameters: Any) -> httpx.Response:
        """Place an order for 0.01 BTC, a market order if nothing else is said."""
        order = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01", **parameters}
        return self.call("POST", "order", **order)

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
    while venue.public("ticker/price?symbol=BTCUSDT")["price"] == "0.00000000":  # until the market's first prices
        time.sleep(0.02)
    try:
        yield venue
    finally:
        venue.control.close()
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
