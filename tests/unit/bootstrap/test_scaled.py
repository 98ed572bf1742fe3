from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.redis_process import RedisProcess

from vela.adapters.clock import SystemClock
from vela.bootstrap.scaled import ScaledSystem, as_environment
from vela.bootstrap.settings import Settings, load_settings
from vela.domain.errors import ConfigurationError

SERVERS = {"bus": "redis://127.0.0.1:1/0", "database": "postgresql://vela:hush@127.0.0.1:1/vela"}


def read(environment: dict[str, str]) -> Settings:
    return load_settings({}, environment, Path("no-such-folder") / "vela.toml")


def test_processes_read_the_options_of_their_parent_from_the_environment() -> None:
    given = {"symbols": "BTC,ETH", "speed": "max", "stop_loss": "1.5", "page": False, "candles": 5, "seed": None}
    environment = as_environment(given | SERVERS, {"VELA_SEED": "7", "VELA_SPEED": "2", "HOME": "/here"})
    settings, expected = read(environment), load_settings(given | SERVERS | {"seed": 7}, {})
    assert settings == expected
    assert environment["HOME"] == "/here"


def test_without_a_page_there_is_nobody_to_serve_it() -> None:
    def services(**given: object) -> list[str]:
        chosen = load_settings({**SERVERS, **given}, {})
        return [*ScaledSystem(chosen, {}, SystemClock(), lambda *_: None, until_end=False).services]

    assert "dashboard" in services()
    assert "dashboard" not in services(page=False)
    with pytest.raises(ConfigurationError, match="setting bus is missing"):
        services(bus=None)


def test_only_who_trades_gets_the_key() -> None:
    environment = {"VELA_API_KEY": "key", "VELA_API_SECRET": "hush", "HOME": "/here"}
    system = ScaledSystem(load_settings(SERVERS, {}), environment, SystemClock(), lambda *_: None, until_end=False)
    for service in system.services:
        given = system.environment_of(service)
        assert given["HOME"] == "/here"
        assert (
            {"VELA_API_KEY", "VELA_API_SECRET"} <= set(given) if service == "orders" else "hush" not in given.values()
        )


async def test_what_a_process_refuses_ends_all_of_them_with_its_own_words(
    redis_process: RedisProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[tuple[str, str]] = []
    given = SERVERS | {"bus": redis_process.url, "market": str(tmp_path / "nothing-here")}
    system = ScaledSystem(
        load_settings(given, {}), as_environment(given, _bare()), SystemClock(), _into(said), until_end=False
    )
    monkeypatch.setattr("vela.bootstrap.scaled.SERVICES", ("persistence", "brain"))
    with pytest.raises(ConfigurationError, match=r"^market '.+nothing-here' is neither 'synthetic' nor an existing"):
        await asyncio.wait_for(system.run(asyncio.Event()), 60)


def _into(said: list[tuple[str, str]]) -> Callable[[str, str], None]:
    return lambda service, line: said.append((service, line))


def _bare() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if not key.startswith("VELA_")}
