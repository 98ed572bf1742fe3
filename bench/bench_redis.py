"""The bus between processes beside the one in memory, and reading the newest prices of ten thousand symbols.

Redis is a private server on this machine, over loopback, with its log on disk as in production (`appendfsync
everysec`). One message at a time goes from one process to another; many at once are published and handled in one
process, where the times of both add up.
"""

from __future__ import annotations

import asyncio
import shutil
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from bench.servers import redis_server
from bench.venue import run_as_the_product

from vela.adapters.bus.memory import MemoryBus
from vela.adapters.bus.redis.bus import RedisBus
from vela.adapters.clock import SystemClock
from vela.adapters.latest_values.redis import RedisLatestValues
from vela.adapters.redis.address import parse_address
from vela.adapters.redis.server import RedisServer
from vela.domain.events import Alert, Envelope, PricesMoved, Tick, Topic
from vela.domain.trading_symbol import TradingSymbol, register_assets
from vela.ports.bus import Bus
from vela.ports.latest_values import PRICES, LatestPrice

SYMBOLS = 10_000
READS = 60
ROUND_TRIPS = 2_000
MESSAGES = 20_000
PUBLISHERS = 64
MESSAGE = PricesMoved(time=1_790_000_000_000, ticks=(Tick(TradingSymbol("BTC"), 64_123.5, 64_120.0, 64_125.0),))


async def read_prices(server: RedisServer) -> None:
    symbols = tuple(TradingSymbol(f"BENCH{number}") for number in range(SYMBOLS))
    values = RedisLatestValues(server)
    price = {symbol: LatestPrice(time=MESSAGE.time, price=64_123.5 + n) for n, symbol in enumerate(symbols)}
    await values.put(PRICES, price)
    keys = tuple(symbol.to_redis_key(PRICES.prefix) for symbol in symbols)
    raw = await seconds(lambda: server.read(keys))
    whole = await seconds(lambda: values.get(PRICES, symbols))
    show_rate("MGET of 10,000 prices, as bytes", SYMBOLS / raw, "1,000,000 keys/s")
    show_rate("the same as values by symbol", SYMBOLS / whole, "–")


async def seconds(read: Callable[[], Awaitable[object]]) -> float:
    times = []
    for _ in range(READS):
        began = time.perf_counter()
        await read()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def show_rate(what: str, rate: float, aim: str) -> None:
    print(f"{what:44} {rate:12,.0f} /s   aim: {aim}")


async def measure_latency(bus: Bus, name: str, publish: Callable[[], Awaitable[None]]) -> float:
    """Time the way from before a message is encoded until its handler begins."""
    times: list[float] = []
    enough = asyncio.Event()

    async def handle(envelope: Envelope) -> None:
        if isinstance(envelope.message, Alert):
            times.append((time.perf_counter_ns() - int(envelope.message.text)) / 1e9)
        if len(times) == ROUND_TRIPS:
            enough.set()

    bus.subscribe("reader", Topic.ALERTS)
    task = asyncio.create_task(bus.consume("reader", handle))
    await bus.settled()
    await asyncio.gather(publish(), enough.wait())
    await finish(bus, task)
    return show_latency(f"publish → handler, {name}", times[ROUND_TRIPS // 10 :])


async def publish_in_turn(bus: Bus) -> None:
    for _ in range(ROUND_TRIPS):
        await bus.publish(Alert(time=1, level="info", text=str(time.perf_counter_ns())))
        await asyncio.sleep(0.001)  # the consumer waits again


async def publish_elsewhere(url: str) -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "bench.bench_redis", url)
    if await process.wait():
        raise SystemExit("the publisher failed")


async def be_publisher(url: str) -> None:
    clock = SystemClock()
    bus = RedisBus(RedisServer(parse_address(url), clock), clock)
    await publish_in_turn(bus)
    await bus.close()


def show_latency(what: str, times: Sequence[float]) -> float:
    ranked = sorted(times)
    p50, p99 = statistics.median(ranked), ranked[int(len(ranked) * 0.99)]
    print(f"{what:44} p50 {p50 * 1e6:8.0f} µs   p99 {p99 * 1e6:8.0f} µs   aim: p50 300 µs")
    return p50


async def measure_throughput(bus: Bus, name: str, groups: int) -> float:
    handled = 0

    async def handle(_envelope: Envelope) -> None:
        nonlocal handled
        handled += 1

    async def publish() -> None:
        for _ in range(MESSAGES // PUBLISHERS):
            await bus.publish(MESSAGE)

    names = [f"group {number}" for number in range(groups)]
    tasks = []
    for group in names:
        bus.subscribe(group, Topic.TICKERS)
        tasks.append(asyncio.create_task(bus.consume(group, handle)))
    began = time.perf_counter()
    await asyncio.gather(*(publish() for _ in range(PUBLISHERS)))
    await bus.settled()
    rate = handled / groups / (time.perf_counter() - began)
    for group, task in zip(names, tasks, strict=True):
        await finish(bus, task, group)
    show_rate(f"published and handled, {groups} group(s), {name}", rate, "5,000 /s")
    return rate


async def finish(bus: Bus, task: asyncio.Task[None], name: str = "reader") -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    bus.unsubscribe(name)


async def measure(url: str) -> None:
    clock = SystemClock()
    server = RedisServer(parse_address(url), clock)
    await read_prices(server)
    memory, redis = MemoryBus(clock), RedisBus(server, clock)
    fast = await measure_latency(memory, "memory", lambda: publish_in_turn(memory))
    slow = await measure_latency(redis, "Redis, two processes", lambda: publish_elsewhere(url))
    print(f"{'Redis takes':44} {slow / fast:12.1f} times as long")
    for groups in (1, 3):
        much = await measure_throughput(memory, "memory", groups)
        less = await measure_throughput(redis, "Redis", groups)
        print(f"{'memory passes':44} {much / less:12.1f} times as many")
    await redis.close()


def main() -> None:
    if len(sys.argv) > 1:
        run_as_the_product(partial(be_publisher, sys.argv[1]))
        return
    binary = shutil.which("redis-server")
    if binary is None:
        print("redis-server is not installed: nothing to measure")
        return
    register_assets(f"BENCH{number}" for number in range(SYMBOLS))
    with redis_server(binary) as url:
        run_as_the_product(partial(measure, url))


if __name__ == "__main__":
    main()
