from __future__ import annotations

import asyncio
import time

import pytest

from vela.adapters.clock import SimulatedClock, SystemClock
from vela.ports.clock import Clock

MINUTE = 60_000


class FakeTime:
    """Real time under the test's control; sleeping takes a little longer than asked, as it does."""

    def __init__(self, monkeypatch) -> None:
        self.now = 1000.0
        self.slept: list[float] = []
        monkeypatch.setattr(SimulatedClock, "monotonic", lambda _: self.now)
        monkeypatch.setattr(asyncio, "sleep", self.sleep)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds + 0.003


@pytest.fixture
def real(monkeypatch) -> FakeTime:
    return FakeTime(monkeypatch)


def test_the_system_clock_never_goes_back(monkeypatch):
    clock: Clock = SystemClock()
    first = clock.now()
    assert abs(first - time.time() * 1000) < 1000
    monkeypatch.setattr(time, "time_ns", lambda: 5)
    assert clock.now() == first


async def test_the_system_clock_sleeps_until_the_time_has_come():
    clock = SystemClock()
    until = clock.now() + 20
    await clock.sleep_until(until)
    assert clock.now() >= until
    await clock.sleep_until(until)
    before = clock.monotonic()
    await clock.sleep(0.01)
    assert clock.monotonic() > before


async def test_small_delays_do_not_add_up(real):
    clock = SimulatedClock(0, speed=60)
    began = real.now
    for minute in range(1, 1001):
        await clock.sleep_until(minute * MINUTE)
        clock.set(minute * MINUTE)
    assert real.now - began == pytest.approx(1000, abs=0.01)


async def test_a_player_far_behind_does_not_rush(real):
    clock = SimulatedClock(0, speed=60)
    await clock.sleep_until(MINUTE)
    real.now += 100
    await clock.sleep_until(2 * MINUTE)
    await clock.sleep_until(3 * MINUTE)
    assert real.slept[1] == 0
    assert real.slept[2] == pytest.approx(1, abs=0.01)


async def test_a_skip_takes_no_real_time(real):
    clock = SimulatedClock(0, speed=1)
    await clock.sleep_until(1000)
    clock.skip(3_600_000)
    assert clock.now() == 3_600_000
    await clock.sleep_until(3_601_000)
    assert real.slept == pytest.approx([1, 1], abs=0.01)


async def test_at_full_speed_nobody_waits_but_others_get_their_turn():
    clock = SimulatedClock(0, speed=None)
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    began = time.monotonic()
    minute = 0
    while time.monotonic() - began < 0.2:
        minute += 1
        await clock.sleep_until(minute * MINUTE)
        clock.set(minute * MINUTE)
    task.cancel()
    assert minute > 1000
    assert 3 <= turns <= 20


def test_the_simulated_clock_never_goes_back():
    clock = SimulatedClock(MINUTE, speed=None)
    seen: Clock = clock
    clock.set(0)
    assert seen.now() == MINUTE
