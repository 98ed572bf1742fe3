"""A venue on real ports, in a thread of its own, for tests of clients."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from functools import partial
from typing import Any, cast
from urllib.parse import urlencode

import httpx
import msgspec

from vela.bootstrap.played import Played
from vela.bootstrap.settings import load_settings
from vela.bootstrap.venue import VenueReady, VenueSettings, run_venue, serve_market
from vela.domain.candles import Candle
from vela.domain.events import PricesMoved, SymbolCandle, Tick
from vela.domain.instrument import Instrument
from vela.domain.timeframe import Timeframe
from vela.domain.trading_symbol import TradingSymbol
from vela.ports.market_data import MarketEvent

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
        self, method: str, path: str, *, in_body: bool = False, key: str = KEY, secret: str = SECRET, **parameters: Any
    ) -> httpx.Response:
        """Send a signed request; the clock is the machine's. `path`: under /api/v3/, or whole if it begins with /."""
        sent = urlencode({"timestamp": time.time_ns() // 1_000_000, **parameters})
        signature = hmac.new(secret.encode(), sent.encode(), hashlib.sha256).hexdigest()
        sent = f"{sent}&signature={signature}"
        address = self.http + path if path.startswith("/") else f"{self.http}/api/v3/{path}"
        url = address if in_body else f"{address}?{sent}"
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
    """A venue that plays a market of settings."""
    settings = load_settings(MARKET | (market or {}), {})
    balances = {"USDT": Decimal(1_000_000), "BTC": Decimal(10)}
    with _served(partial(run_venue, settings), {"balances": balances, **options}) as venue:
        while venue.public("ticker/price?symbol=BTCUSDT")["price"] == "0.00000000":  # until the market's first prices
            time.sleep(0.02)
        yield venue


@contextmanager
def scripted_venue(script: ScriptedMarket, **options) -> Iterator[RunningVenue]:
    """A venue whose market moves when the test says so."""
    with _served(partial(serve_market, Played(script, 0, "scripted", 0)), options) as venue:
        yield venue


@contextmanager
def _served(serve: Callable[..., Coroutine[Any, Any, None]], options: dict[str, Any]) -> Iterator[RunningVenue]:
    settings = VenueSettings(port=0, control_port=0, **{"api_key": KEY, "api_secret": SECRET, **options})
    loop, stop, started = asyncio.new_event_loop(), asyncio.Event(), threading.Event()
    ready: list[VenueReady] = []

    def on_ready(what: VenueReady) -> None:
        ready.append(what)
        started.set()

    def run() -> None:
        try:
            loop.run_until_complete(serve(settings, stop, on_ready))
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


class ScriptedMarket:
    """A market without candles of its own; whoever holds it moves it, from any thread."""

    def __init__(self, *instruments: Instrument, volume: float) -> None:
        """`volume`: base that the book rests on."""
        self.timeframe = Timeframe.M1
        self._instruments = instruments
        self._volume = volume
        self._queue: asyncio.Queue[tuple[MarketEvent, threading.Event]] = asyncio.Queue()
        self._loop: asyncio.AbstractEventLoop
        self._is_read = threading.Event()

    def instruments(self) -> Sequence[Instrument]:
        return self._instruments

    async def history(self, symbol: TradingSymbol, before: int, count: int) -> Sequence[Candle]:
        return []

    async def stream(self) -> AsyncIterator[MarketEvent]:
        self._loop = asyncio.get_running_loop()
        self._is_read.set()
        while True:
            event, handled = await self._queue.get()
            yield event
            handled.set()

    def move(self, tick: Tick, time: int) -> None:
        """Move a price and return when the venue has dealt with that. `time`: ms UTC."""
        tick = msgspec.structs.replace(tick, volume=self._volume)
        self.tell(PricesMoved(time=time, ticks=(tick,)))

    def close(self, *rows: SymbolCandle) -> None:
        """Close candles."""
        self.tell(rows)

    def tell(self, event: MarketEvent) -> None:
        handled = threading.Event()
        assert self._is_read.wait(10)
        self._loop.call_soon_threadsafe(self._queue.put_nowait, (event, handled))
        assert handled.wait(10)
