"""10,000 market messages a second over a real socket, the whole system behind it, and orders that must not suffer.

A process of its own sends public trades of ten symbols in Binance's shape, as fast as asked for; orders, fills and
candles come from a venue in another process. In the middle of it, positions are opened and their stops are hit. Told
are the rate that was reached, how many prices were conflated, how long order events took while the market was quiet
and during the burst, how long the event loop stood still, and memory. In the end every fill is compared with the
venue's own account of it. `python -m bench.bench_burst [SECONDS [RATE]]`: 10 s and 10,000 unless it is said.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from bench.bench_live_path import EveryOther
from bench.books import Books, compare, truth_of
from bench.venue import (
    CREDENTIALS,
    NO_LIMIT,
    Addresses,
    data_directory,
    live_settings,
    run_as_the_product,
    venue_process,
)
from websockets.asyncio.server import ServerConnection, serve

from vela.adapters.exchanges.binance.client import BinanceClient
from vela.adapters.exchanges.unified.feed import LiveFeed
from vela.adapters.exchanges.unified.streams import PRICES
from vela.bootstrap.application import Application, Ready
from vela.bootstrap.exchange_marketplace import ExchangeMarketplace
from vela.bootstrap.settings import Settings
from vela.cli.session import keep_what_is_loaded
from vela.domain.candles import Candles
from vela.domain.events import Message, OrderFilled, PricesMoved
from vela.domain.order import OrderPurpose
from vela.domain.signal import Signals
from vela.domain.trading_symbol import TradingSymbol
from vela.strategies.base import Strategy

BASES = ("BTC", "ETH", "BNB", "SOL", "XRP", "ADA", "DOGE", "LTC", "DOT", "LINK")
CAPITAL = "1000"
QUIET_SECONDS, QUIET_RATE = 10, 50
DEFAULTS = (10, 10_000)  # seconds, messages a second
ORDERS_PAUSE = 0.2
TURN_SECONDS = 0.005  # of the sender, and of the watch over the event loop
TEXT = 0x81  # a WebSocket's frame that is one whole text


class Waiting(Strategy):
    """Never in."""

    @property
    def warmup(self) -> int:
        return 1

    def analyze(self, symbol: TradingSymbol, candles: Candles) -> Signals:  # noqa: ARG002  the contract's signature
        never = np.zeros(len(candles.open_time), dtype=bool)
        return Signals(buy=never, sell=never)


# ------------------------------------------------------------------------------------------------------ the sender


@dataclass
class Sent:
    """What the sender did in the burst: messages, seconds, and the most bytes that waited to be taken."""

    messages: int = 0
    seconds: float = 0.0
    most_waiting: int = 0


def send(rate: int, seconds: int, burst: Event, told: Queue[Any]) -> None:
    """Serve the streams of public trades; a burst of them when told to. Runs in a process of its own."""
    asyncio.run(_serve(rate, seconds, burst, told))


async def _serve(rate: int, seconds: int, burst: Event, told: Queue[Any]) -> None:
    async def answer(connection: ServerConnection) -> None:
        request = json.loads(await connection.recv())
        await connection.send(json.dumps({"result": None, "id": request["id"]}))
        trickle = asyncio.create_task(_at(connection, QUIET_RATE, 10**9))
        if not burst.is_set():  # who comes later lost the first connection
            await asyncio.to_thread(burst.wait)
            told.put(await _at(connection, rate, seconds))
        await trickle

    async with serve(answer, "127.0.0.1", 0, compression=None, ping_interval=None) as server:
        told.put(server.sockets[0].getsockname()[1])
        await server.serve_forever()


async def _at(connection: ServerConnection, rate: int, seconds: int) -> Sent:
    """Send trades at a steady rate, those of one turn in one write."""
    sent, began = Sent(), time.perf_counter()
    while (elapsed := time.perf_counter() - began) < seconds and not connection.transport.is_closing():
        due = int(elapsed * rate) - sent.messages
        connection.transport.write(b"".join(_frame(sent.messages + number) for number in range(due)))
        sent.messages += due
        sent.most_waiting = max(sent.most_waiting, connection.transport.get_write_buffer_size())
        await asyncio.sleep(TURN_SECONDS)
    while connection.transport.get_write_buffer_size():  # noqa: ASYNC110  until all of it was taken
        await asyncio.sleep(TURN_SECONDS)
    sent.seconds = time.perf_counter() - began
    return sent


def _frame(number: int) -> bytes:
    base, now = BASES[number % len(BASES)], time.time_ns() // 1_000_000
    text = (
        f'{{"e":"aggTrade","E":{now},"s":"{base}USDT","a":{number},"p":"{100 + number % 7 / 100:.2f}","q":"0.10",'
        f'"f":{number},"l":{number},"T":{now},"m":true,"M":true}}'
    ).encode()
    return bytes((TEXT, 126)) + len(text).to_bytes(2) + text  # 126: the length follows in two bytes


def trade(control: str, begin: Event, end: Event) -> None:
    """Close candles, and let the stops of what was bought be hit; in a process of its own."""
    begin.wait()
    with httpx.Client(base_url=control, trust_env=False) as client:
        while not end.is_set():
            client.post("/candle").raise_for_status()
            time.sleep(ORDERS_PAUSE)
            for price in ("99", "100"):
                client.post("/price", json={"symbol": "BTC", "price": price}).raise_for_status()
            time.sleep(ORDERS_PAUSE)


# ---------------------------------------------------------------------------------------------------- the receiver


@dataclass
class Heard:
    """What was seen of one phase. Latencies in seconds."""

    taken: int = 0
    told: int = 0
    fills: list[float] = field(default_factory=list)
    stops: list[float] = field(default_factory=list)
    stalls: list[float] = field(default_factory=list)
    memory: list[tuple[float, float]] = field(default_factory=list)
    computing: float = 0.0


class Watch:
    """Looks on, without a part in it."""

    def __init__(self, application: Application) -> None:
        self.now = Heard()
        publish, traded, watch = application._bus.publish, LiveFeed.traded, self  # noqa: SLF001

        async def published(message: Message) -> None:
            watch._hear(message)
            await publish(message)

        def counted(self: LiveFeed, symbol: TradingSymbol, price: float, time: int) -> None:
            watch.now.taken += 1
            traded(self, symbol, price, time)

        application._bus.publish = published  # type: ignore[method-assign]  # noqa: SLF001
        LiveFeed.traded = counted  # type: ignore[method-assign]

    def _hear(self, message: Message) -> None:
        if isinstance(message, PricesMoved):
            self.now.told += len(message.ticks)
        elif isinstance(message, OrderFilled):  # told once it is booked; the venue says when it happened
            latency = time.time() - message.fill.time / 1000
            (self.now.stops if message.purpose is OrderPurpose.STOP else self.now.fills).append(latency)

    async def phase(self, seconds: float) -> Heard:
        heard = self.now = Heard()
        began, computed = time.perf_counter(), time.process_time()
        while (at := time.perf_counter() - began) < seconds:
            await asyncio.sleep(TURN_SECONDS)
            heard.stalls.append(time.perf_counter() - began - at - TURN_SECONDS)
            if not heard.memory or at - heard.memory[-1][0] >= 0.5:
                heard.memory.append((at, _resident_mib()))
        heard.computing = (time.process_time() - computed) / seconds
        return heard


def _resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


async def measure(settings: Settings, venue: Addresses, seconds: int, rate: int) -> tuple[Heard, Heard, Sent]:
    spawn = get_context("spawn")
    burst, begin, end = spawn.Event(), spawn.Event(), spawn.Event()
    told: Queue[Any] = spawn.Queue()
    helpers = [
        spawn.Process(target=send, args=(rate, seconds, burst, told), daemon=True),
        spawn.Process(target=trade, args=(venue.control, begin, end), daemon=True),
    ]
    for helper in helpers:
        helper.start()
    _take_prices_from(await asyncio.to_thread(told.get))
    place = ExchangeMarketplace(settings, CREDENTIALS)
    strategies = {one: EveryOther() if one.base == "BTC" else Waiting() for one in place.symbols}
    application = Application(settings, until_end=False, marketplace=place, strategies=strategies)
    watch, stop, ready = Watch(application), asyncio.Event(), asyncio.Event()

    def on_ready(_ready: Ready) -> None:
        keep_what_is_loaded()
        ready.set()

    running = asyncio.create_task(application.run(stop, on_ready))
    await ready.wait()
    begin.set()
    await watch.phase(QUIET_SECONDS / 2)  # warms up
    quiet = await watch.phase(QUIET_SECONDS)
    burst.set()
    loud = await watch.phase(seconds)
    sent = await asyncio.to_thread(told.get)
    end.set()
    await asyncio.to_thread(helpers[1].join)
    await watch.phase(2)  # what was said last arrives
    helpers[0].terminate()
    stop.set()
    await running
    return quiet, loud, sent


def _take_prices_from(port: int) -> None:
    market_url = BinanceClient.market_url

    def url(self: BinanceClient, name: str) -> str:
        return f"ws://127.0.0.1:{port}/stream/ws/{name}" if name.startswith(PRICES) else market_url(self, name)

    BinanceClient.market_url = url  # type: ignore[method-assign]


# ------------------------------------------------------------------------------------------------------ the figures


def show(name: str, heard: Heard, seconds: float) -> None:
    print(name)
    print(f"  {'messages taken':32} {heard.taken:9,}   {heard.taken / seconds:,.0f} a second")
    kept = heard.told / heard.taken if heard.taken else 0
    print(f"  {'prices told on, the rest conflated':32} {heard.told:7,}   {kept:.1%}")
    _latencies("entry filled → booked", heard.fills)
    _latencies("stop filled → booked", heard.stops)
    ranked = sorted(heard.stalls)
    print(f"  {'event loop stood still':32} p99 {_share(ranked, 0.99):6.1f} ms   p99.9 {_share(ranked, 0.999):6.1f} ms")
    times, sizes = np.array(heard.memory).T
    slope = np.polyfit(times, sizes, 1)[0] * 60
    print(f"  {'memory':32} {sizes[0]:6.1f} MiB → {sizes[-1]:.1f} MiB   slope {slope:+.1f} MiB a minute")
    print(f"  {'of one core':32} {heard.computing:6.0%}")


def _latencies(what: str, seconds: Sequence[float]) -> None:
    if seconds:
        ranked = sorted(seconds)
        p50, p99 = statistics.median(ranked) * 1e3, _share(ranked, 0.99)
        print(f"  {what:32} {len(ranked):6,} times   p50 {p50:5.1f} ms   p99 {p99:5.1f} ms")


def _share(ranked: Sequence[float], share: float) -> float:
    return ranked[int((len(ranked) - 1) * share)] * 1e3


def main(arguments: Sequence[str]) -> None:
    given = [*map(int, arguments)]
    seconds, rate = [*given, *DEFAULTS[len(given) :]]
    print("load of this machine in the last minute:", f"{os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    prices = [word for base in BASES for word in ("--price", f"{base}=100")]
    options = ("--market", "still", "--flat-book", "--fee-in-quote", "--symbols", ",".join(BASES), *prices)
    limits = ("--weight-limit", NO_LIMIT, "--order-limit", NO_LIMIT)
    with data_directory() as folder, venue_process(*options, *limits, "--balance", f"USDT={CAPITAL}") as venue:
        rules = {"cooldown": "0", "stop_loss": "0.5", "capital": CAPITAL, "max_daily_loss": "0", "max_drawdown": "0"}
        settings = live_settings(venue, folder, symbols=",".join(BASES), **rules)
        quiet, loud, sent = run_as_the_product(lambda: measure(settings, venue, seconds, rate))
        show("quiet market", quiet, QUIET_SECONDS)
        show("burst", loud, seconds)
        print(
            f"  {'sent':32} {sent.messages:9,}   {sent.messages / sent.seconds:,.0f} a second, "
            f"at most {sent.most_waiting / 1024:,.0f} KiB waiting at the sender"
        )
        compare(Books(settings.data_dir), truth_of(venue.control, CAPITAL))


if __name__ == "__main__":
    main(sys.argv[1:])
