"""How long a closed candle takes to become the bytes of an order, and a fill to become a stop that rests.

The system trades over the wire with a venue in a process of its own. Timed is the way from the closed candle on the
bus (before strategy, gate, intent and signature) to the bytes of the order on the socket; network and venue are not in
it. The last figure is a whole way round: from the arrival of a fill to the word of the venue that the stop rests. An
intent must be on disk before its order is sent: measured with the record on the disk and in memory.
"""

from __future__ import annotations

import asyncio
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import numpy as np

from vela.adapters.exchanges.unified.connection import Credentials
from vela.bootstrap.application import Application, Ready
from vela.bootstrap.exchange_marketplace import ExchangeMarketplace
from vela.bootstrap.settings import Settings, load_settings
from vela.domain.candles import Candles
from vela.domain.crashpoints import arm
from vela.domain.events import CandlesClosed, Message, OrderChanged, OrderFilled, SignalsRaised
from vela.domain.order import OrderPurpose, OrderStatus
from vela.domain.signal import Signals
from vela.domain.trading_symbol import TradingSymbol
from vela.strategies.base import Strategy

CANDLES = 160
PAUSE_SECONDS = 0.25  # within what the venue lets one ask per minute
BTC = TradingSymbol("BTC")
MEMORY = Path("/dev/shm")  # noqa: S108  a file system in memory, where there is one


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
    """Moments of `perf_counter`, as they come."""

    closed: float = 0.0
    filled: float = 0.0
    awaits_order: bool = False
    to_intent: list[float] = field(default_factory=list)
    to_signal: list[float] = field(default_factory=list)
    to_bytes: list[float] = field(default_factory=list)
    to_stop: list[float] = field(default_factory=list)

    def hear(self, message: Message) -> None:
        now = time.perf_counter()
        if isinstance(message, CandlesClosed):
            self.closed, self.awaits_order = now, True
        elif isinstance(message, SignalsRaised):
            self.to_signal.append(now - self.closed)
        elif isinstance(message, OrderFilled) and message.purpose is OrderPurpose.ENTRY:
            self.filled = now
        elif isinstance(message, OrderChanged):
            order = message.order
            if order.purpose is OrderPurpose.STOP and order.status is OrderStatus.ACCEPTED:
                self.to_stop.append(now - self.filled)

    def committed(self) -> None:
        if self.awaits_order:
            self.to_intent.append(time.perf_counter() - self.closed)

    def written(self) -> None:
        if self.awaits_order:
            self.to_bytes.append(time.perf_counter() - self.closed)
            self.awaits_order = False


def venue() -> tuple[subprocess.Popen[str], str, str]:
    options = [
        "--market",
        "still",
        "--flat-book",
        "--symbols",
        "BTC",
        "--price",
        "BTC=100",
        "--weight-limit",
        "1000000",
    ]
    ports = ["--port", "0", "--control-port", "0", "--balance", "USDT=10000"]
    process = subprocess.Popen(
        [sys.executable, "-m", "vela", "venue", *options, *ports], stderr=subprocess.PIPE, text=True
    )
    words: list[str] = []
    while process.stderr is not None and "Control" not in words:
        words += process.stderr.readline().split()
    return process, words[words.index("REST") + 1].removesuffix("/api/v3"), words[words.index("Control") + 1]


async def trade(settings: Settings, control: str) -> Times:
    place = ExchangeMarketplace(settings, Credentials("vela-venue-key", "vela-venue-secret"))
    application = Application(settings, until_end=False, marketplace=place, strategies={BTC: EveryOther()})
    times, greeted, stop = Times(), list[Ready](), asyncio.Event()
    publish = application._bus.publish  # noqa: SLF001  a benchmark listens where nobody else does

    async def timed(message: Message) -> None:
        times.hear(message)
        await publish(message)

    application._bus.publish = timed  # type: ignore[method-assign]  # noqa: SLF001
    arm("P05", times.committed)
    arm("P06", times.written)
    running = asyncio.create_task(application.run(stop, greeted.append))
    while not greeted and not running.done():  # noqa: ASYNC110  nobody tells when
        await asyncio.sleep(0.05)
    async with httpx.AsyncClient(base_url=control, trust_env=False) as client:
        for number in range(CANDLES):
            price = {"symbol": "BTC", "price": "100.01" if number % 2 else "100"}
            (await client.post("/price", json=price)).raise_for_status()
            (await client.post("/candle")).raise_for_status()
            await asyncio.sleep(PAUSE_SECONDS)
    stop.set()
    await running
    return times


def show(what: str, seconds: Sequence[float], aim: str) -> None:
    ranked = sorted(seconds)
    p50, p99 = statistics.median(ranked), ranked[int(len(ranked) * 0.99)]
    print(f"{what:34} {len(ranked):5,} times  p50 {p50 * 1e3:6.2f} ms  p99 {p99 * 1e3:6.2f} ms   aim: {aim}")


def measure(directory: Path | None) -> None:
    process, rest, control = venue()
    try:
        with tempfile.TemporaryDirectory(dir=directory) as folder:
            os.environ["XDG_STATE_HOME"] = folder
            given = {"exchange": "binance", "live": True, "exchange_url": rest, "symbols": "BTC", "page": False}
            rules = {"cooldown": "0", "data_dir": str(Path(folder) / "data"), "capital": "1000"}
            settings = load_settings(given | rules, {}, Path(folder) / "none.toml")
            times = asyncio.run(trade(settings, control))
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(10)
    show("candle → signal", times.to_signal, "–")
    show("candle → intent committed", times.to_intent, "–")
    show("candle → order bytes on the socket", times.to_bytes, "p50 0.3 ms, p99 2 ms")
    show("fill → stop rests at the venue", times.to_stop, "p99 1000 ms")


def main() -> None:
    print("record on disk")
    measure(None)
    if MEMORY.is_dir():
        print("record in memory")
        measure(MEMORY)


if __name__ == "__main__":
    main()
