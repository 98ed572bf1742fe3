"""The bus on Redis, opened as a process would, and those who live on it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.redis_process import RedisProcess

from vela.adapters.bus.redis.bus import RedisBus
from vela.adapters.clock import SystemClock
from vela.adapters.redis.address import parse_address
from vela.adapters.redis.server import RedisServer
from vela.domain.events import Alert, Envelope

STREAM = "vela:alerts"
DEAD = "vela:dead:alerts"


@asynccontextmanager
async def open_bus(process: RedisProcess, patience: float = 30.0, **options) -> AsyncIterator[RedisBus]:
    clock = SystemClock()
    bus = RedisBus(RedisServer(parse_address(process.url), clock, patience=patience), clock, **options)
    try:
        yield bus
    finally:
        await bus.close()


@asynccontextmanager
async def consuming(bus: RedisBus, name: str, handler) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(bus.consume(name, handler))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


class Collector:
    """Keeps the texts of alerts, in their order."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    async def __call__(self, envelope: Envelope) -> None:
        assert isinstance(envelope.message, Alert)
        self.texts.append(envelope.message.text)


def alert(text: object) -> Alert:
    return Alert(time=1, level="info", text=str(text))


async def hang(_envelope: Envelope) -> None:
    await asyncio.Event().wait()


async def publish_many(bus: RedisBus, count: int) -> None:
    for number in range(count):
        await bus.publish(alert(number))
