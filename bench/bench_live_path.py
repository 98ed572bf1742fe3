"""How long a closed candle takes to become the bytes of an order, and a fill to become a stop that rests.

The system trades over the wire with a venue in a process of its own. Timed is the way from the closed candle on the
bus (before strategy, gate, intent and signature) to the bytes of the order on the socket; network and venue are not in
it. The last figure is a whole way round: from the arrival of a fill to the word of the venue that the stop rests. An
intent must be on disk before its order is sent: measured with the record on the disk and in memory. What the event
loop's thread itself computed is told besides: on a busy machine that is the figure to compare.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.synchronize import Event
from pathlib import Path

import httpx
import numpy as np
from bench.venue import CREDENTIALS, MEMORY, NO_LIMIT, data_directory, live_settings, run_as_the_product, venue_process

from vela.bootstrap.application import Application, Ready
from vela.bootstrap.exchange_marketplace import ExchangeMarketplace
from vela.bootstrap.settings import Settings
from vela.cli.session import keep_what_is_loaded
from vela.domain.candles import Candles
from vela.domain.crashpoints import arm
from vela.domain.events import CandlesClosed, Message, SignalsRaised
from vela.domain.signal import Signals
from vela.domain.trading_symbol import TradingSymbol
from vela.strategies.base import Strategy

CANDLES = 160
WARM_UP = 2  # of each kind, not counted: with the first candle, the brain asks for all of its history
PAUSE_SECONDS = 0.25  # within what the venue lets one ask per minute
BTC = TradingSymbol("BTC")


class EveryOther(Strategy):
    """In on one candle, out on the next."""

    @property
    def warmup(self) -> int:
        return 1

    def analyze(self, symbol: TradingSymbol, candles: Candles) -> Signals:  # noqa: ARG002  the contract's signature
        minute = candles.open_time // 60_000 % 2
        return Signals(buy=np.asarray(minute == 0), sell=np.asarray(minute == 1))


@dataclass
class Times:
    """Moments of `perf_counter` and, for what was computed, of the thread's own clock, as they come."""

    closed: float = 0.0
    computed: float = 0.0
    filled: float = 0.0
    awaits_order: bool = False
    to_intent: list[float] = field(default_factory=list)
    to_signal: list[float] = field(default_factory=list)
    to_bytes: list[float] = field(default_factory=list)
    to_bytes_computing: list[float] = field(default_factory=list)
    to_stop: list[float] = field(default_factory=list)

    def hear(self, message: Message) -> None:
        now = time.perf_counter()
        if isinstance(message, CandlesClosed):
            self.closed, self.computed, self.awaits_order = now, time.thread_time(), True
        elif isinstance(message, SignalsRaised):
            self.to_signal.append(now - self.closed)

    def answered(self) -> None:
        self.filled = time.perf_counter()

    def protected(self) -> None:
        self.to_stop.append(time.perf_counter() - self.filled)

    def committed(self) -> None:
        if self.awaits_order:
            self.to_intent.append(time.perf_counter() - self.closed)

    def written(self) -> None:
        if self.awaits_order:
            self.to_bytes.append(time.perf_counter() - self.closed)
            self.to_bytes_computing.append(time.thread_time() - self.computed)
            self.awaits_order = False


def drive(control: str, begin: Event) -> None:
    """Close candles at the venue; in a process of its own, so that reading the answers is nobody else's work."""
    begin.wait()
    with httpx.Client(base_url=control, trust_env=False) as client:
        for number in range(CANDLES):
            price = {"symbol": "BTC", "price": "100.01" if number % 2 else "100"}
            client.post("/price", json=price).raise_for_status()
            client.post("/candle").raise_for_status()
            time.sleep(PAUSE_SECONDS)


async def trade(settings: Settings, control: str) -> Times:
    place = ExchangeMarketplace(settings, CREDENTIALS)
    application = Application(settings, until_end=False, marketplace=place, strategies={BTC: EveryOther()})
    times, stop, spawn = Times(), asyncio.Event(), get_context("spawn")
    publish = application._bus.publish  # noqa: SLF001  a benchmark listens where nobody else does

    async def timed(message: Message) -> None:
        times.hear(message)
        await publish(message)

    application._bus.publish = timed  # type: ignore[method-assign]  # noqa: SLF001
    arm("P05", times.committed)
    arm("P06", times.written)
    arm("P09", times.answered)
    arm("P17", times.protected)
    begin = spawn.Event()
    driver = spawn.Process(target=drive, args=(control, begin), daemon=True)
    driver.start()

    def on_ready(_ready: Ready) -> None:
        keep_what_is_loaded()
        begin.set()

    running = asyncio.create_task(application.run(stop, on_ready))
    while driver.is_alive() and not running.done():  # noqa: ASYNC110  a process tells nobody when it ends
        await asyncio.sleep(0.1)
    stop.set()
    await running
    return times


def show(what: str, seconds: Sequence[float], aim: str) -> None:
    ranked = sorted(seconds[WARM_UP:])
    p50, p99 = statistics.median(ranked), ranked[int(len(ranked) * 0.99)]
    print(f"{what:34} {len(ranked):5,} times  p50 {p50 * 1e3:6.2f} ms  p99 {p99 * 1e3:6.2f} ms   aim: {aim}")


def measure(directory: Path | None) -> None:
    options = ("--market", "still", "--flat-book", "--symbols", "BTC", "--price", "BTC=100")
    balance = ("--balance", "USDT=10000", "--weight-limit", NO_LIMIT)
    with data_directory(directory) as folder, venue_process(*options, *balance) as venue:
        settings = live_settings(venue, folder, symbols="BTC", cooldown="0", capital="1000")
        times = run_as_the_product(lambda: trade(settings, venue.control))
    show("candle → signal", times.to_signal, "–")
    show("candle → intent committed", times.to_intent, "–")
    show("candle → order bytes on the socket", times.to_bytes, "p50 0.3 ms, p99 2 ms")
    show("  of which this process computed", times.to_bytes_computing, "–")
    show("fill → stop rests at the venue", times.to_stop, "p99 1000 ms")


def main() -> None:
    print("load of this machine in the last minute:", f"{os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print("record on disk")
    measure(None)
    if MEMORY.is_dir():
        print("record in memory")
        measure(MEMORY)


if __name__ == "__main__":
    main()
