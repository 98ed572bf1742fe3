"""All services over Redis: they trade as they do over memory."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from pydantic import SecretStr
from tests.fakes import write_recording
from tests.redis_process import RedisProcess

from vela.bootstrap import application
from vela.bootstrap.application import Application
from vela.bootstrap.settings import load_settings
from vela.bootstrap.transport import Transport, on_redis
from vela.ports.clock import Clock


async def test_a_recording_gives_the_same_trades_over_redis_and_over_memory(
    redis_process: RedisProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = write_recording(tmp_path / "recording" / "BTCUSDT_1m.parquet", 250)

    async def replay(name: str) -> object:
        given = {"market": str(recording), "speed": "max", "symbols": "BTC", "page": False}
        settings = load_settings(given | {"data_dir": str(tmp_path / name)}, {}, tmp_path / "none.toml")
        return await Application(settings, until_end=True).run(asyncio.Event(), lambda _: None)

    over_memory = await replay("memory")
    transports: list[Transport] = []

    def over(clock: Clock) -> Transport:
        transports.append(on_redis(SecretStr(redis_process.url), clock, source="all"))
        return transports[-1]

    monkeypatch.setattr(application, "in_memory", over)
    over_redis = await replay("redis")
    [transport] = transports
    await transport.close()
    assert over_redis == over_memory
    assert over_redis.trades > 0  # type: ignore[attr-defined]
