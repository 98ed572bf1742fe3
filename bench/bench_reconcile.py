"""How long a start of live trading takes on an account with 500 open orders and 10,000 trades, some of them missed.

First the system itself buys 250 symbols at a venue in another process, each in some forty trades, and lets stop and
target rest. Then it is stopped, and while nobody listens the market moves: targets are reached, wholly or in part, and
stops. Timed is the next start, over the wire and within the request weights that Binance allows, up to the moment at
which entries would be taken. In the end every fill, order and amount is compared with the venue's own account of them.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import patch

import httpx
import numpy as np
import structlog
from bench.books import Books, compare, truth_of
from bench.venue import CREDENTIALS, MEMORY, NO_LIMIT, data_directory, live_settings, run_as_the_product, venue_process

from vela.adapters.exchanges.unified.calls import Calls
from vela.bootstrap.application import Application
from vela.bootstrap.exchange_marketplace import ExchangeMarketplace
from vela.bootstrap.settings import Settings
from vela.domain.candles import Candles
from vela.domain.signal import Signals
from vela.domain.trading_symbol import TradingSymbol, register_assets
from vela.ports.execution import FollowUp
from vela.services import brain, orders
from vela.services.orders import OrdersService
from vela.strategies.base import Strategy

ASSETS = tuple(f"VELA{number:03}" for number in range(250))
STREAMS_SECONDS, CANDLE_SECONDS, BUY_SECONDS = 5, 30, 600
SOON = FollowUp(absent_tries=3, absent_seconds=2.0, reconcile_seconds=30.0)
PRICE, CAPITAL, STAKE = "10", "100000", "100"
DEPTH = 25  # base on a side of the book, in a hundred levels: a stake takes some forty of them
TARGET, PART_OF_TARGET, STOP = range(25), range(25, 50), range(50, 75)  # what is reached while nobody listens


class Buyer(Strategy):
    """In on every candle, never out."""

    @property
    def warmup(self) -> int:
        return 1

    def analyze(self, symbol: TradingSymbol, candles: Candles) -> Signals:  # noqa: ARG002  the contract's signature
        always = np.ones(len(candles.open_time), dtype=bool)
        return Signals(buy=always, sell=~always)


@dataclass
class Requests:
    """What was asked of the venue."""

    count: int = 0
    weight: int = 0
    minutes: dict[int, int] = field(default_factory=dict)

    def watch(self) -> None:
        """Count from now on."""
        admit, counted = Calls.admit, self

        async def counting(self: Calls, weight: int) -> None:
            await admit(self, weight)
            counted.count += 1
            counted.weight += weight
            minute = self.now() // 60_000
            counted.minutes[minute] = counted.minutes.get(minute, 0) + weight

        Calls.admit = counting  # type: ignore[method-assign]


@asynccontextmanager
async def session(settings: Settings, follow_up: FollowUp | None = None) -> AsyncIterator[float]:
    """Trade until left; yields the seconds from the beginning until everything ran."""
    place = ExchangeMarketplace(settings, CREDENTIALS, follow_up)
    strategies = {symbol: Buyer() for symbol in place.symbols}
    application = Application(settings, until_end=False, marketplace=place, strategies=strategies)
    began, stop, ready = time.perf_counter(), asyncio.Event(), asyncio.Event()
    running = asyncio.create_task(application.run(stop, lambda _ready: ready.set()))
    greeted = asyncio.create_task(ready.wait())
    await asyncio.wait([running, greeted], return_when=asyncio.FIRST_COMPLETED)
    greeted.cancel()
    try:
        if not running.done():
            yield time.perf_counter() - began
    finally:
        stop.set()
        await running


class Control:
    """The venue's control port."""

    def __init__(self, address: str) -> None:
        self._client = httpx.Client(base_url=address, trust_env=False, timeout=60)

    def move(self, numbers: Sequence[int], price: str, volume: float) -> None:
        for number in numbers:
            move = {"symbol": ASSETS[number], "price": price, "volume": volume}
            self._client.post("/price", json=move).raise_for_status()

    def end_candle(self) -> None:
        self._client.post("/candle").raise_for_status()


async def buy_all(settings: Settings, control: Control, books: Books) -> None:
    """Trade until every symbol is held and protected."""
    async with session(settings, SOON):
        await asyncio.sleep(STREAMS_SECONDS)
        end = time.monotonic() + BUY_SECONDS
        while time.monotonic() < end:
            # Where streams come up late, a first price is missed: that symbol is bought at a later candle.
            await asyncio.to_thread(control.move, range(len(ASSETS)), PRICE, DEPTH)
            await asyncio.to_thread(control.end_candle)
            if await until(lambda: [*books.live().values()] == ["ACCEPTED"] * 2 * len(ASSETS), CANDLE_SECONDS):
                return
    raise RuntimeError(f"{len(books.live())} orders rest after {BUY_SECONDS} s; wanted: {2 * len(ASSETS)}")


async def until(holds: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not holds() and time.monotonic() < end:  # noqa: ASYNC110  the record tells nobody
        await asyncio.sleep(0.5)
    return holds()


def miss(control: Control) -> None:
    """Move the market while nobody listens."""
    control.move(TARGET, "10.6", 1000)
    control.move(PART_OF_TARGET, "10.6", DEPTH / 5)
    control.move(STOP, "9.5", DEPTH)


async def start_again(settings: Settings) -> tuple[float, float]:
    """Return the seconds of the whole start, and of the orders service's part in it."""
    start, took = OrdersService.start, list[float]()

    async def timed(self: OrdersService) -> None:
        began = time.perf_counter()
        await start(self)
        took.append(time.perf_counter() - began)

    OrdersService.start = timed  # type: ignore[method-assign]
    async with session(settings) as seconds:
        pass
    return seconds, took[0]


def measure(folder: Path, memory: Path) -> None:
    options = ("--market", "still", "--fee-in-quote", "--symbols", ",".join(ASSETS), "--order-limit", NO_LIMIT)
    assets = [
        f"{option}={asset}{value}"
        for asset in ASSETS
        for option, value in (("--new-asset", ""), ("--price", f"={PRICE}"))
    ]
    with venue_process(*options, *assets, "--balance", f"USDT={CAPITAL}") as venue:
        rules = {"stake": STAKE, "max_positions": str(len(ASSETS)), "stop_loss": "3", "take_profit": "5"}
        settings, quick = (
            live_settings(venue, place, symbols=",".join(ASSETS), capital=CAPITAL, **rules)
            for place in (folder, memory)
        )
        control, books = Control(venue.control), Books(quick.data_dir)
        # Not what is timed: to buy all of them at one candle takes a while, and the strategy needs no past.
        with patch.object(orders, "_LATE_MS", BUY_SECONDS * 1000), patch.object(brain, "_WARMUP_CANDLES", 1):
            run_as_the_product(lambda: buy_all(quick, control, books))
        miss(control)
        shutil.copytree(quick.data_dir, settings.data_dir)
        books = Books(settings.data_dir)
        before, missing = len(books.live()), len(truth_of(venue.control, CAPITAL).fills - books.fills())
        requests = Requests()
        requests.watch()
        seconds, reconciling = run_as_the_product(lambda: start_again(settings))
        truth = truth_of(venue.control, CAPITAL)
    print(f"{'orders live in the record':34} {before:,}")
    print(f"{'trades at the venue, missed of them':34} {len(truth.fills):,}, {missing:,}")
    print(f"{'start of live trading':34} {seconds:6.1f} s   aim: 60 s")
    print(f"{'  of which the account':34} {reconciling:6.1f} s")
    print(f"{'requests':34} {requests.count:,}, weight {requests.weight:,}, at most {max(requests.minutes.values()):,} "
          "in a minute (Binance: 6,000)")  # fmt: skip
    compare(books, truth)


def main() -> None:
    register_assets(ASSETS)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))  # silence of a still market
    print("load of this machine in the last minute:", f"{os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    # Whoever waits for the disk at ten thousand trades waits long; the start is measured with the record on the disk.
    with data_directory(MEMORY if MEMORY.is_dir() else None) as memory, data_directory() as folder:
        measure(folder, memory)


if __name__ == "__main__":
    main()
