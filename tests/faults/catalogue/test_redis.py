"""Redis itself dies, forgets or fills up: rows B09 and B13."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from structlog.testing import capture_logs
from tests.fakes import until
from tests.faults.catalogue.redis_bus import STREAM, Collector, alert, consuming, open_bus, publish_many
from tests.redis_process import RedisProcess

from vela.adapters.redis.server import RedisUnreachable
from vela.domain.errors import BusError
from vela.domain.events import Topic


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[RedisProcess]:
    process = RedisProcess(tmp_path / "redis").start()
    yield process
    process.stop()


# ------------------------------------------------------------------------------------------------- B09: Redis restarts


async def test_b09_redis_is_killed_midway_and_everybody_goes_on(own_redis: RedisProcess) -> None:
    seen = Collector()
    async with open_bus(own_redis, source="here") as bus, open_bus(own_redis, source="there") as other:
        other.subscribe("reader", Topic.ALERTS)

        async def publish() -> None:
            for number in range(600):
                await bus.publish(alert(number))

        async with consuming(other, "reader", seen):
            publishing = asyncio.create_task(publish())
            for so_many in (100, 300):
                await until(lambda: len(seen.texts) >= so_many)  # noqa: B023  it ends within the loop
                own_redis.kill()
                await asyncio.to_thread(own_redis.start)
            await publishing
            await bus.settled()
    # Nothing is lost. A message that was handled may come again where its acknowledgement was; none is published twice.
    assert list(dict.fromkeys(seen.texts)) == [str(number) for number in range(600)]
    with own_redis.client() as client:
        [group] = client.xinfo_groups(STREAM)
        # Not "entries-read", which Redis itself may count wrongly after it was killed.
        newest = client.xinfo_stream(STREAM)["last-generated-id"]
        assert (group["pending"], group["last-delivered-id"]) == (0, newest)


async def test_b09_an_absence_of_redis_is_logged_once_however_often_it_is_asked(own_redis: RedisProcess) -> None:
    seen = Collector()
    with capture_logs() as logged:
        async with open_bus(own_redis) as bus:
            bus.subscribe("reader", Topic.ALERTS)
            async with consuming(bus, "reader", seen):
                await bus.publish(alert("before"))
                await until(lambda: seen.texts == ["before"])
                own_redis.kill()
                await asyncio.sleep(1.0)  # many times longer than the first pauses
                await asyncio.to_thread(own_redis.start)
                await bus.publish(alert("after"))
                await until(lambda: "after" in seen.texts)
    told = [line["event"] for line in logged if line.get("consumer") == "reader" and "edis" in line["event"]]
    assert told == ["no answer from Redis; it is asked again", "Redis answers again"]


async def test_b09_a_message_whose_answer_got_lost_is_published_once(
    redis_process: RedisProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = Collector()
    async with open_bus(redis_process) as bus:
        bus.subscribe("worker", Topic.ALERTS)
        await bus.publish(alert("first"))
        run, answers = bus._server.run, 0

        async def lose_one(*command):
            nonlocal answers
            answer = await run(*command)
            answers += 1
            if answers == 1:
                raise RedisUnreachable("the answer is lost")
            return answer

        monkeypatch.setattr(bus._server, "run", lose_one)
        await bus.publish(alert("second"))
        await bus.publish(alert("third"))
        async with consuming(bus, "worker", seen):
            await bus.settled()
    assert answers > 2
    assert seen.texts == ["first", "second", "third"]


async def test_b09_a_power_cut_that_takes_the_end_of_the_log_takes_nothing_of_what_comes_later(
    own_redis: RedisProcess,
) -> None:
    seen = Collector()
    async with open_bus(own_redis) as bus:
        bus.subscribe("reader", Topic.ALERTS)
        async with consuming(bus, "reader", seen):
            await publish_many(bus, 100)
            await bus.settled()
            own_redis.kill()
            [log] = (own_redis.directory / "appendonlydir").glob("*.incr.aof")
            with log.open("r+b") as file:
                file.truncate(log.stat().st_size - 2_000)
            await asyncio.to_thread(own_redis.start)
            await bus.publish(alert("later"))
            await bus.settled()
    # What the consumer had acknowledged within the lost end comes again; what comes later is not taken for it.
    assert seen.texts[:100] == [str(number) for number in range(100)]
    assert "later" in seen.texts[100:]
    with own_redis.client() as client:
        assert client.xlen(STREAM) < 101


async def test_b09_redis_that_forgot_everything_is_set_up_anew(own_redis: RedisProcess) -> None:
    seen = Collector()
    async with open_bus(own_redis) as bus:
        bus.subscribe("reader", Topic.ALERTS)
        async with consuming(bus, "reader", seen):
            await bus.publish(alert("before"))
            await until(lambda: seen.texts == ["before"])
            with own_redis.client() as client:
                client.flushall()
            await bus.publish(alert("after"))
            await until(lambda: seen.texts == ["before", "after"])


async def test_b09_without_redis_a_publisher_waits_as_long_as_it_may_and_says_so(own_redis: RedisProcess) -> None:
    async with open_bus(own_redis, patience=0.2) as bus:
        await bus.publish(alert("first"))
        own_redis.kill()
        with pytest.raises(BusError, match=r"cannot publish to alerts: no answer from Redis for 0.2 s .*127.0.0.1"):
            await bus.publish(alert("second"))
        own_redis.start()
        await bus.publish(alert("third"))


# ------------------------------------------------------------------------------------------------------- B13: no memory


async def test_b13_without_memory_publishing_says_so_and_nothing_is_lost(redis_process: RedisProcess) -> None:
    seen = Collector()
    async with open_bus(redis_process) as bus:
        bus.subscribe("worker", Topic.ALERTS)
        await publish_many(bus, 20)
        with redis_process.client() as client, memory_limit(client):
            with pytest.raises(BusError, match=r"Redis at redis://127.0.0.1:\d+/0 is out of memory \(maxmemory\)"):
                await bus.publish(alert("refused"))
            assert client.xlen(STREAM) == 20
            async with consuming(bus, "worker", seen):
                await bus.settled()  # what is there can be handled all the same
        await bus.publish(alert("later"))
        async with consuming(bus, "worker", seen):
            await bus.settled()
    assert seen.texts == [*(str(number) for number in range(20)), "later"]


async def test_b13_what_was_handled_makes_room(redis_process: RedisProcess) -> None:
    async with open_bus(redis_process) as bus:
        bus.subscribe("worker", Topic.ALERTS)
        async with consuming(bus, "worker", Collector()):
            for number in range(3):
                await bus.publish(alert("x" * 1_000_000 + str(number)))
            await bus.settled()
        with redis_process.client() as client:
            client.config_set("maxmemory", client.info("memory")["used_memory"] - 500_000)
            try:
                await bus.publish(alert("fits once what was handled is gone"))
            finally:
                client.config_set("maxmemory", 0)


class memory_limit:  # noqa: N801  reads as a statement
    """No more memory than is in use."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def __enter__(self) -> None:
        self._client.config_set("maxmemory-policy", "noeviction")
        self._client.config_set("maxmemory", 100_000)

    def __exit__(self, *_: object) -> None:
        self._client.config_set("maxmemory", 0)
