"""What the snapshot holds, of a server and of a cluster."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from tests.redis_process import RedisCluster, RedisProcess

from vela.adapters.audit.findings import Move, Remove
from vela.adapters.audit.fixes import carry_out
from vela.adapters.audit.reader import take_snapshot
from vela.adapters.audit.snapshot import KeyState, Snapshot
from vela.adapters.bus.redis.bus import RedisBus
from vela.adapters.clock import SystemClock
from vela.adapters.redis.address import parse_address
from vela.adapters.redis.server import RedisServer
from vela.domain.events import ServiceBeat, ServiceState, Topic


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisCluster]:
    cluster = RedisCluster(tmp_path_factory.mktemp("cluster"))
    yield cluster
    cluster.stop()


@pytest.fixture(params=["server", "cluster"])
def url(request: pytest.FixtureRequest) -> str:
    if request.param == "server":
        server: RedisProcess = request.getfixturevalue("redis_process")
        return server.url
    cluster: RedisCluster = request.getfixturevalue("cluster")
    for node in cluster.nodes:
        with node.client() as client:
            client.flushall()
    return cluster.url


@pytest.fixture
async def server(url: str):
    server = RedisServer(parse_address(url), SystemClock(), patience=1)
    yield server
    await server.close()


async def test_nothing_is_there(server: RedisServer) -> None:
    snapshot = await take_snapshot(server)
    assert snapshot == Snapshot(snapshot.time, tagged=server.is_cluster)
    assert abs(snapshot.time - SystemClock().now()) < 60_000


async def test_keys_are_told_from_those_of_other_programs(server: RedisServer) -> None:
    await server.write({f"price:{number}": b"1" for number in range(2_500)})  # more than one page
    for foreign in ("prices:BTC", "velal:x", "session", b"price:\xff"):
        await server.call("SET", foreign, "x")
    await server.call("HSET", "market_regime:BTC", "field", "x")
    snapshot = await take_snapshot(server)
    assert snapshot.foreign == 4
    assert snapshot.keys == (
        KeyState("market_regime:BTC", "hash"),
        *sorted((KeyState(f"price:{n}", "string", b"1") for n in range(2_500)), key=lambda key: key.name),
    )


async def test_groups_tell_what_they_have_not_handled(url: str) -> None:
    clock = SystemClock()
    bus = RedisBus(RedisServer(parse_address(url), clock), clock)
    bus.subscribe("reads", Topic.HEALTH)
    bus.subscribe("absent", Topic.HEALTH)
    handled = asyncio.Event()

    async def handle(_envelope: object) -> None:
        handled.set()
        await asyncio.Event().wait()

    for _ in range(3):
        await bus.publish(health(clock.now()))
    reading = asyncio.create_task(bus.consume("reads", handle))
    await handled.wait()
    server = RedisServer(parse_address(url), clock)
    [stream] = (await take_snapshot(server)).streams
    await server.close()
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    await bus.close()
    assert stream.length == 3
    absent, reads = sorted(stream.groups, key=lambda group: group.name)
    assert (absent.pending, absent.unread, absent.consumers) == (0, 3, ())
    assert (reads.pending, reads.unread, len(reads.consumers)) == (3, 0, 1)
    assert absent.oldest_ms == reads.oldest_ms
    assert absent.oldest_ms is not None
    assert abs(absent.oldest_ms - clock.now()) < 60_000


def health(time: int) -> ServiceBeat:
    return ServiceBeat(time=time, service="test", state=ServiceState.RUNNING)


async def test_a_group_that_handled_all_has_nothing_oldest(server: RedisServer) -> None:
    stream = "{vela}:health" if server.is_cluster else "vela:health"
    await server.call("XADD", stream, "5-1", "envelope", "x")
    await server.call("XGROUP", "CREATE", stream, "done", "$")
    [found] = (await take_snapshot(server)).streams
    [group] = found.groups
    assert (group.pending, group.unread, group.oldest_ms) == (0, 0, None)


async def test_dead_letters_are_counted(server: RedisServer) -> None:
    dead = "{vela}:dead:fills" if server.is_cluster else "vela:dead:fills"
    for _ in range(2):
        await server.call("XADD", dead, "*", "reason", "x")
    assert (await take_snapshot(server)).letters == {dead: 2}


async def test_a_fix_is_done_only_if_the_value_is_still_the_same(server: RedisServer) -> None:
    await server.write({"price:btc": b"1", "price:ETH": b"2"})
    assert not await carry_out(server, Remove("price:btc", b"0"))
    assert not await carry_out(server, Move("price:btc", b"1", "price:ETH"))
    assert await server.read(("price:btc", "price:ETH", "price:BTC")) == [b"1", b"2", None]
    assert await carry_out(server, Move("price:btc", b"1", "price:BTC"))
    assert await carry_out(server, Remove("price:ETH", b"2"))
    assert await server.read(("price:btc", "price:ETH", "price:BTC")) == [None, None, b"1"]
