"""Those who live on Redis die, dawdle or choke: rows B10 to B12, B14 and B15."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest
from tests.fakes import until
from tests.faults.catalogue.redis_bus import DEAD, STREAM, Collector, alert, consuming, hang, open_bus, publish_many
from tests.redis_process import RedisProcess

from vela.adapters.bus.redis import lane
from vela.adapters.redis.server import RedisUnreachable
from vela.domain.errors import BusError
from vela.domain.events import Alert, Envelope, MarketEnded, Topic

# -------------------------------------------------------------------------------------- B10, B11: consumers die and go

CONSUMER = """
import asyncio, os, signal, sys
from vela.adapters.bus.redis.bus import RedisBus
from vela.adapters.clock import SystemClock
from vela.adapters.redis.address import parse_address
from vela.adapters.redis.server import RedisServer
from vela.domain.events import Topic

async def main():
    clock = SystemClock()
    bus = RedisBus(RedisServer(parse_address(sys.argv[1]), clock), clock)
    bus.subscribe("worker", Topic.ALERTS)

    async def die(envelope):
        if envelope.message.text == sys.argv[2]:
            os.kill(os.getpid(), signal.SIGKILL)

    await bus.consume("worker", die)

for _ in range(int(sys.argv[3])):
    child = os.fork()
    if not child:
        asyncio.run(main())
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
"""


def run_consumer(process: RedisProcess, dies_at: str, times: int = 1) -> None:
    """Consume in processes, one after the other, each of which dies in the middle of a message."""
    command = [sys.executable, "-c", CONSUMER, process.url, dies_at, str(times)]
    subprocess.run(command, check=True, timeout=60)


async def test_b10_what_a_dead_consumer_held_is_handled_when_it_is_back(redis_process: RedisProcess) -> None:
    async with open_bus(redis_process) as bus:
        bus.subscribe("worker", Topic.ALERTS)
        for number in range(10):
            await bus.publish(alert(number))
        await asyncio.to_thread(run_consumer, redis_process, "3")
        with redis_process.client() as client:
            assert client.xpending(STREAM, "worker")["pending"] >= 7
        seen = Collector()
        async with consuming(bus, "worker", seen):
            await bus.settled()
        assert seen.texts[-7:] == [str(number) for number in range(3, 10)]


async def test_b10_what_was_fetched_is_not_stranded_when_the_answer_gets_lost(
    redis_process: RedisProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen, lost = Collector(), 0
    async with open_bus(redis_process) as bus:
        bus.subscribe("worker", Topic.ALERTS)
        await publish_many(bus, 5)
        call = bus._server.call

        async def lose_the_first_fetch(*command, **options):
            nonlocal lost
            answer = await call(*command, **options)
            if command[0] == "XREADGROUP" and not lost:
                lost = len(answer[0][1])
                raise RedisUnreachable("the answer is lost")
            return answer

        monkeypatch.setattr(bus._server, "call", lose_the_first_fetch)
        async with consuming(bus, "worker", seen):
            await asyncio.wait_for(bus.settled(), 10)
    assert lost == 5
    assert seen.texts == [str(number) for number in range(5)]


async def test_b10_what_is_held_under_another_name_is_claimed_in_order(redis_process: RedisProcess) -> None:
    seen = Collector()
    async with open_bus(redis_process, member="old") as bus:
        bus.subscribe("worker", Topic.ALERTS)
        for number in range(5):
            await bus.publish(alert(number))
        async with consuming(bus, "worker", hang):
            await until(lambda: pending(redis_process) == 5)
    async with open_bus(redis_process, member="new", dead_after=0.05) as bus:
        bus.subscribe("worker", Topic.ALERTS)
        await bus.publish(alert(5))
        await asyncio.sleep(0.06)
        async with consuming(bus, "worker", seen):
            await bus.settled()
    assert seen.texts == [str(number) for number in range(6)]


async def test_b10_a_member_that_dies_later_is_noticed_while_others_work(redis_process: RedisProcess) -> None:
    seen = Collector()
    async with (
        open_bus(redis_process, member="old") as old,
        open_bus(redis_process, member="new", dead_after=0.1) as new,
    ):
        for bus in (old, new):
            bus.subscribe("worker", Topic.ALERTS)
        await old.publish(alert("held"))
        async with consuming(old, "worker", hang):
            await until(lambda: pending(redis_process) == 1)
        async with consuming(new, "worker", seen):
            for _ in range(100):  # what wakes a consumer that waits for messages
                await new.publish(alert("other"))
                await asyncio.sleep(0.01)
            await until(lambda: "held" in seen.texts)


def pending(process: RedisProcess) -> int:
    with process.client() as client:
        return int(client.xpending(STREAM, "worker")["pending"])


async def test_b11_no_member_is_ever_removed(redis_process: RedisProcess) -> None:
    async with open_bus(redis_process, member="old") as bus:
        bus.subscribe("worker", Topic.ALERTS)
        await bus.publish(alert(1))
        async with consuming(bus, "worker", hang):
            await until(lambda: pending(redis_process) == 1)
    async with open_bus(redis_process, member="new", dead_after=0.0) as bus:
        bus.subscribe("worker", Topic.ALERTS)
        async with consuming(bus, "worker", Collector()):
            await bus.settled()
    with redis_process.client() as client:
        assert {member["name"] for member in client.xinfo_consumers(STREAM, "worker")} == {b"old", b"new"}
        commands = client.info("commandstats")
    assert "cmdstat_xgroup|delconsumer" not in commands


# ----------------------------------------------------------------------------------------- B12, B15: slow and trimmed


async def test_b12_only_what_every_group_has_handled_is_trimmed(redis_process: RedisProcess) -> None:
    fast, slow = Collector(), Collector()
    async with open_bus(redis_process, capacity=100) as bus:
        bus.subscribe("fast", Topic.ALERTS)
        bus.subscribe("slow", Topic.ALERTS)
        async with consuming(bus, "fast", fast):
            publishing = asyncio.create_task(publish_many(bus, 250))
            await until(lambda: len(fast.texts) == 100)
            await asyncio.sleep(0.1)
            assert not publishing.done()  # it waits for the slow one, and nothing is taken from under it
            with redis_process.client() as client:
                assert client.xlen(STREAM) == 100
            async with consuming(bus, "slow", slow):
                await publishing
                await bus.settled()
        await bus._lanes[Topic.ALERTS]._trimmer.trim()
        with redis_process.client() as client:
            assert client.xlen(STREAM) == 0
    assert fast.texts == slow.texts == [str(number) for number in range(250)]


async def test_b12_a_message_that_was_given_out_and_not_handled_is_not_trimmed(redis_process: RedisProcess) -> None:
    async with open_bus(redis_process, capacity=10) as bus:
        bus.subscribe("worker", Topic.ALERTS)
        await publish_many(bus, 9)
        async with consuming(bus, "worker", hang):
            await until(lambda: pending(redis_process) == 9)
            await bus._lanes[Topic.ALERTS]._trimmer.trim()
        seen = Collector()
        async with consuming(bus, "worker", seen):
            await bus.settled()
    assert seen.texts == [str(number) for number in range(9)]


async def test_b12_who_holds_up_publishers_is_named_before_they_wait(
    redis_process: RedisProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    warnings: list[dict[str, object]] = []
    monkeypatch.setattr(lane._log, "warning", lambda _text, **facts: warnings.append(facts), raising=False)
    async with open_bus(redis_process, capacity=20) as bus:
        bus.subscribe("sleepy", Topic.ALERTS)
        await publish_many(bus, 19)
    assert warnings == [{"topic": Topic.ALERTS, "consumer": "sleepy", "unhandled": 10, "capacity": 20}]


async def test_b15_a_burst_passes_a_sleeping_consumer_and_memory_stays_bounded(redis_process: RedisProcess) -> None:
    seen: list[str] = []

    async def sleepy(envelope: Envelope) -> None:
        if len(seen) % 500 == 0:
            await asyncio.sleep(0.01)
        seen.append(envelope.id)

    async with open_bus(redis_process, capacity=200) as bus:
        bus.subscribe("sleepy", Topic.ALERTS)
        async with consuming(bus, "sleepy", sleepy):
            longest = 0
            publishing = [asyncio.create_task(publish_many(bus, 400)) for _ in range(5)]
            with redis_process.client() as client:
                while not all(task.done() for task in publishing):
                    longest = max(longest, client.xlen(STREAM))
                    await asyncio.sleep(0.005)
            await asyncio.gather(*publishing)
            await bus.settled()
    assert len(seen) == len(set(seen)) == 2000
    assert longest <= 200


# ----------------------------------------------------------------------------------------------------------B14: poison


async def test_b14_a_message_that_kills_its_process_is_set_aside_by_the_count_of_its_deliveries(
    redis_process: RedisProcess,
) -> None:
    async with open_bus(redis_process) as bus:
        bus.subscribe("worker", Topic.ALERTS)
        await bus.publish(alert("poison"))
        await bus.publish(alert("food"))
        await asyncio.to_thread(run_consumer, redis_process, "poison", 3)
        seen = Collector()
        async with consuming(bus, "worker", seen):
            await bus.settled()
        assert seen.texts == ["food"]
        assert [letter.message for letter in bus.dead_letters()] == [alert("poison")]
    [letter] = letters(redis_process)
    assert letter[b"reason"] == b"tried 3 times, and nobody lived to say what came of it"
    assert (letter[b"group"], letter[b"tries"]) == (b"worker", b"4")
    assert b"poison" in letter[b"envelope"]


async def test_b14_neighbours_of_a_poisonous_message_keep_all_their_tries(redis_process: RedisProcess) -> None:
    """They are fetched with it each time, but tried never: fetching counts for nothing."""
    tries: list[str] = []

    async def choke(envelope: Envelope) -> None:
        assert isinstance(envelope.message, Alert)
        tries.append(envelope.message.text)
        raise RuntimeError("not today")

    async with open_bus(redis_process) as bus:
        bus.subscribe("worker", Topic.ALERTS)
        await bus.publish(alert("a"))
        await bus.publish(alert("b"))
        for _ in range(6):
            with pytest.raises(RuntimeError):
                await bus.consume("worker", choke)
    assert tries == ["a"] * 3 + ["b"] * 3
    assert [letter[b"reason"] for letter in letters(redis_process)] == [b"RuntimeError: not today"] * 2


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"envelope": b"\xc1garbage"}, "bytes are no message"),
        ({"other": b"x"}, "the entry holds no message"),
        ({"envelope": b"x" * 50_000_000}, "50,000,000 bytes; accepted: up to 16,777,216"),
    ],
)
async def test_b14_what_is_no_message_or_too_large_is_set_aside_and_the_rest_moves_on(
    redis_process: RedisProcess, fields: dict[str, bytes], reason: str
) -> None:
    seen = Collector()
    async with open_bus(redis_process) as bus:
        bus.subscribe("worker", Topic.ALERTS)
        await bus.publish(alert("before"))
        with redis_process.client() as client:
            client.xadd(STREAM, fields)
        await bus.publish(alert("after"))
        async with consuming(bus, "worker", seen):
            await bus.settled()
    assert seen.texts == ["before", "after"]
    [letter] = letters(redis_process)
    assert reason in letter[b"reason"].decode()
    assert len(letter[b"envelope"]) <= 65_536
    assert int(letter[b"bytes"]) == len(fields.get("envelope", b""))


async def test_b14_a_message_that_is_too_large_is_not_published(redis_process: RedisProcess) -> None:
    async with open_bus(redis_process) as bus:
        with pytest.raises(BusError, match=r"Alert has 50,000,\d+ bytes; accepted: up to 16,777,216"):
            await bus.publish(alert("x" * 50_000_000))
        await bus.publish(MarketEnded(time=1))


def letters(process: RedisProcess) -> list[dict[bytes, bytes]]:
    with process.client() as client:
        return [fields for _, fields in client.xrange(DEAD)]
