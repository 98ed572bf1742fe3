"""The bus and the newest values on a socket, behind Sentinel and in a cluster."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.redis_process import RedisCluster, RedisProcess, RedisWithSentinel

from vela.adapters.bus.redis.bus import RedisBus
from vela.adapters.clock import SystemClock
from vela.adapters.latest_values.redis import RedisLatestValues
from vela.adapters.redis.address import parse_address
from vela.adapters.redis.server import RedisServer
from vela.domain.assets import TradingPair
from vela.domain.errors import BusError
from vela.domain.events import Alert, Envelope, MarketEnded, Topic
from vela.domain.trading_symbol import TradingSymbol
from vela.ports.latest_values import PRICES, LatestPrice

SYMBOLS = tuple(TradingSymbol.from_config(pair) for pair in TradingPair)


@asynccontextmanager
async def open_server(url: str) -> AsyncIterator[RedisServer]:
    server = RedisServer(parse_address(url), SystemClock())
    try:
        yield server
    finally:
        await server.close()


async def exchange(bus: RedisBus, count: int, seen: list[str]) -> None:
    """Publish in turn on two topics, and let one consumer of both take all of it."""
    bus.subscribe("reader", Topic.ALERTS, Topic.CANDLES)

    async def take(envelope: Envelope) -> None:
        message = envelope.message
        seen.append(message.text if isinstance(message, Alert) else str(message.time))

    task = asyncio.create_task(bus.consume("reader", take))
    for number in range(count):
        await bus.publish(Alert(time=1, level="info", text=str(2 * number)))
        await bus.publish(MarketEnded(time=2 * number + 1))
    await bus.settled()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_over_a_socket_in_the_file_system(tmp_path: Path) -> None:
    process = RedisProcess(tmp_path, "--unixsocket", str(tmp_path / "s")).start()
    try:
        seen: list[str] = []
        async with open_server(f"unix://:correct%20horse@{tmp_path}/s?db=0") as server:
            await exchange(RedisBus(server, SystemClock()), 20, seen)
        assert seen == [str(number) for number in range(40)]
        async with open_server(f"unix://:wrong@{tmp_path}/s") as server:
            with pytest.raises(BusError, match="lets nobody in with this name and password"):
                await RedisBus(server, SystemClock()).publish(MarketEnded(time=1))
    finally:
        process.stop()


async def test_in_a_cluster_the_bus_keeps_its_order_and_keys_keep_their_names(tmp_path: Path) -> None:
    cluster = RedisCluster(tmp_path)
    try:
        seen: list[str] = []
        async with open_server(cluster.url) as server:
            await exchange(RedisBus(server, SystemClock()), 50, seen)
            values = RedisLatestValues(server)
            prices = {symbol: LatestPrice(time=1, price=float(n + 1)) for n, symbol in enumerate(SYMBOLS)}
            await values.put(PRICES, prices)
            assert await values.get(PRICES, SYMBOLS) == prices
            await values.put_active(SYMBOLS)
            assert await values.active() == tuple(sorted(SYMBOLS))
        keys: list[set[str]] = []
        for node in cluster.nodes:
            with node.client() as client:
                keys.append({key.decode() for key in client.scan_iter()})
        assert seen == [str(number) for number in range(100)]
        assert [sum(key.startswith("{vela}") for key in found) > 0 for found in keys].count(True) == 1
        assert all(any(key.startswith("price:") for key in found) for found in keys)
        assert set().union(*keys) >= {f"price:{symbol}" for symbol in SYMBOLS} | {"{vela}:alerts", "active_symbols"}
    finally:
        cluster.stop()


async def test_behind_sentinel_everybody_follows_to_the_new_primary(tmp_path: Path) -> None:
    redis = RedisWithSentinel(tmp_path)
    try:
        seen: list[str] = []
        async with open_server(redis.url) as server:
            bus = RedisBus(server, SystemClock())
            await exchange(bus, 20, seen)
            await asyncio.to_thread(_wait_for_replica, redis)
            redis.primary.kill()
            await exchange(bus, 20, seen)
        with redis.replica.client() as client:
            assert client.info("replication")["role"] == "master"
        assert seen == [str(number) for number in range(40)] * 2
    finally:
        redis.stop()


def _wait_for_replica(redis: RedisWithSentinel) -> None:
    """What the replica has not got is lost with the primary: replication does not wait."""
    with redis.primary.client() as client:
        assert client.wait(1, 5_000) == 1
