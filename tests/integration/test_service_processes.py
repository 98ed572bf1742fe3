"""Services that share nothing but Redis and PostgreSQL: each is wired as `vela run` wires it, all in one event loop."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.faults.scaled import Outcome, outcome
from tests.places import PostgresPlace
from tests.redis_process import RedisProcess

from vela.adapters.storage.sql.database import Database
from vela.adapters.storage.sql.record import RECORD_FILE
from vela.bootstrap.application import Application
from vela.bootstrap.record import open_shared_record
from vela.bootstrap.service_process import SERVICES, ServiceProcess
from vela.bootstrap.settings import Settings, load_settings
from vela.bootstrap.shards import WHOLE, Shard
from vela.cli.session import as_contract
from vela.domain.crashpoints import arm, disarm
from vela.domain.errors import ConfigurationError
from vela.domain.regime import MarketRegime
from vela.services.supervisor import ServicesFailed

# Nothing that one symbol does holds another one up: brains say in no certain order what they have to say.
RULES = {"max_positions": 100, "capital": 100_000, "cooldown": "1m", "stop_loss": 0.4, "take_profit": 0.6}
MARKET = {"speed": "max", "symbols": "BTC,ETH,SOL,XRP,ADA", "seed": 5, "page": False}


class Part:
    """One service, as long as it runs."""

    def __init__(self, process: ServiceProcess) -> None:
        self.told: list[str] = []
        self.runs = asyncio.Event()
        self._stop = asyncio.Event()
        self.ending = asyncio.create_task(process.run(self._stop, lambda _: self.runs.set()))

    async def end(self) -> None:
        self._stop.set()
        await self.ending


class Parts:
    """Starts services on one Redis and one PostgreSQL."""

    def __init__(self, settings: Settings, redis: RedisProcess) -> None:
        self.settings = settings
        self.redis = redis
        self.running: list[Part] = []

    def start(self, service: str, *, shard: Shard = WHOLE, until_end: bool = False) -> Part:
        told: list[str] = []
        process = ServiceProcess(service, self.settings, told.append, shard=shard, until_end=until_end)
        part = Part(process)
        part.told = told
        self.running.append(part)
        return part

    def rounds(self) -> int:
        with self.redis.client() as client:
            stream = "vela:market.candles"
            return int(client.xinfo_stream(stream)["entries-added"]) if client.exists(stream) else 0

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(120):
            while not condition():
                for part in self.running:
                    if part.ending.done():
                        part.ending.result()
                await asyncio.sleep(0.01)


@asynccontextmanager
async def parts(settings: Settings, redis: RedisProcess) -> AsyncIterator[Parts]:
    made = Parts(settings, redis)
    try:
        yield made
    finally:
        for part in made.running:
            part.ending.cancel()
        await asyncio.gather(*(part.ending for part in made.running), return_exceptions=True)


@pytest.fixture
def settings(postgresql_place: PostgresPlace, redis_process: RedisProcess, tmp_path: Path) -> Callable[..., Settings]:
    """Reads settings that name the servers."""
    place = postgresql_place
    address = place.server.network_url(place.name).render_as_string(hide_password=False)
    servers = {"bus": redis_process.url, "database": address, "data_dir": tmp_path / "data"}
    return lambda **given: load_settings({**MARKET, **RULES, **servers, **given}, {}, tmp_path / "none.toml")


async def embedded(tmp_path: Path, **given: object) -> Outcome:
    options = {**MARKET, **RULES, "data_dir": tmp_path / "embedded", **given}
    chosen = load_settings(options, {}, tmp_path / "none.toml")
    summary = await Application(chosen, until_end=True).run(asyncio.Event(), lambda _: None)
    return outcome(as_contract(summary), Database.at(tmp_path / "embedded" / RECORD_FILE))


def left(settings: Settings, place: PostgresPlace) -> Outcome:
    with open_shared_record(settings) as record:
        summary = record.reader.summary()
    return outcome(as_contract(summary), place.database())


async def test_moving_symbols_between_shards_in_the_midst_of_a_market_loses_and_doubles_nothing(
    settings: Callable[..., Settings], postgresql_place: PostgresPlace, redis_process: RedisProcess, tmp_path: Path
) -> None:
    chosen = settings(candles=90)
    layouts: Sequence[int] = (2, 3, 1)
    async with parts(chosen, redis_process) as system:
        for service in ("orders", "persistence", "historical"):
            system.start(service)
        market = system.start("market-data", until_end=True)
        for place, count in enumerate(layouts, start=1):
            brains = [system.start("brain", shard=Shard(index, count)) for index in range(1, count + 1)]
            goal = 28 * place
            await system.until(lambda: system.rounds() >= goal or market.ending.done())  # noqa: B023  within this turn
            if place < len(layouts):
                for brain in brains:
                    system.running.remove(brain)
                    await brain.end()
        await asyncio.wait_for(market.ending, 120)
        for part in system.running:
            await part.end()
    expected = await embedded(tmp_path, candles=90)
    # Fills of one moment are numbered in the order of the signals, and the ledger names them by these numbers.
    assert expected.differences(left(chosen, postgresql_place), but="ledger") == []
    assert len(expected.rows["trades"]) > 5


@pytest.fixture
def deaths() -> Iterator[Callable[[Mapping[str, int]], list[str]]]:
    """Lets services die where they pass a point for the so many-th time; returns what has happened so far."""
    happened: list[str] = []

    def plan(points: Mapping[str, int]) -> list[str]:
        for point, passes in points.items():
            arm(point, _dying(point, passes, happened))
        return happened

    yield plan
    disarm()


def _dying(point: str, passes: int, happened: list[str]) -> Callable[[], None]:
    left = [passes]

    def pass_by() -> None:
        left[0] -= 1
        if left[0] == 0:
            happened.append(point)
            raise RuntimeError(f"died at {point}")

    return pass_by


@pytest.mark.parametrize(
    "points",
    [
        {"P01": 9, "P02": 30, "P03": 3, "P05": 2, "P12": 2, "P25": 5},
        {"P02": 8, "P03": 5, "P10": 6, "P13": 1, "P22": 1},
    ],
    ids=["before and within", "after"],
)
async def test_a_service_that_dies_at_a_point_takes_nothing_with_it_while_the_others_live_on(
    points: Mapping[str, int],
    deaths: Callable[[Mapping[str, int]], list[str]],
    settings: Callable[..., Settings],
    postgresql_place: PostgresPlace,
    redis_process: RedisProcess,
    tmp_path: Path,
) -> None:
    expected = await embedded(tmp_path, candles=90)
    chosen = settings(candles=90)
    happened = deaths(points)
    async with parts(chosen, redis_process) as system:
        for service in ("orders", "brain", "persistence", "historical"):
            system.start(service)
        await asyncio.wait_for(system.start("market-data", until_end=True).ending, 120)
        for part in system.running:
            await part.end()
    assert sorted(happened) == sorted(points)
    assert expected.differences(left(chosen, postgresql_place)) == []


async def test_a_second_orders_waits_and_takes_over_when_the_first_has_left(
    settings: Callable[..., Settings], postgresql_place: PostgresPlace, redis_process: RedisProcess, tmp_path: Path
) -> None:
    chosen = settings(candles=80)
    async with parts(chosen, redis_process) as system:
        first = system.start("orders")
        await system.until(first.runs.is_set)
        second = system.start("orders")
        for service in ("brain", "persistence", "historical"):
            system.start(service)
        market = system.start("market-data", until_end=True)
        await system.until(lambda: system.rounds() >= 25)
        await system.until(lambda: second.told)
        assert second.told[-1].startswith("standby: ")
        assert not second.runs.is_set()
        system.running.remove(first)
        await first.end()
        await system.until(second.runs.is_set)
        await asyncio.wait_for(market.ending, 120)
        for part in system.running:
            await part.end()
    expected = await embedded(tmp_path, candles=80)
    assert expected.differences(left(chosen, postgresql_place)) == []
    assert postgresql_place.execute("SELECT token FROM leases") == [(2,)]
    with redis_process.client() as client:
        price, regime, strategy, active = (
            json.loads(text)
            for text in client.mget("price:BTC", "market_regime:BTC", "strategy_config:BTC", "active_symbols")
        )
    assert price["time"] > 0
    assert regime["regime"] in set(MarketRegime)
    assert (strategy["strategy"], strategy["params"]) == ("SmaCrossover", {"fast": 10, "slow": 30})
    assert active == ["ADA", "BTC", "ETH", "SOL", "XRP"]


async def test_the_market_waits_for_those_who_listen(
    settings: Callable[..., Settings], redis_process: RedisProcess
) -> None:
    async with parts(settings(candles=5), redis_process) as system:
        market = system.start("market-data", until_end=True)
        await system.until(lambda: market.told)
        assert market.told == ["waiting for brain, historical, orders, persistence"]
        assert system.rounds() == 0


# -------------------------------------------------------------------------------------------- what is refused at once


def refused(settings: Settings, service: str = "brain", **options) -> str:
    with pytest.raises(ConfigurationError) as caught:
        ServiceProcess(service, settings, lambda _: None, **options)
    return str(caught.value)


def test_services_that_do_not_exist_are_named_with_those_that_do(settings: Callable[..., Settings]) -> None:
    accepted = f"accepted: {', '.join(SERVICES)}"
    assert refused(settings(), "alerts") == f"service 'alerts' does not exist yet; {accepted}"
    assert refused(settings(), "strategy-optimizer") == f"service 'strategy-optimizer' does not exist yet; {accepted}"
    assert refused(settings(), "toaster") == f"service 'toaster' is unknown; {accepted}"


def test_both_addresses_are_needed_and_shards_are_for_brains(settings: Callable[..., Settings]) -> None:
    both = "accepted: --bus redis://HOST:6379/0 --database postgresql://USER:PASSWORD@HOST:5432/NAME"
    assert refused(settings(bus=None)).startswith("setting bus is missing")
    assert refused(settings(database=None)).endswith(both)
    assert "accepted: with brain" in refused(settings(), "orders", shard=Shard(1, 2))


async def test_servers_that_do_not_answer_are_waited_for_a_while_and_then_named(
    settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vela.bootstrap.service_process._PATIENCE_SECONDS", 0.2)
    monkeypatch.setattr("vela.bootstrap.service_process._PAUSE_SECONDS", 0.05)
    for given, what in (
        ({"bus": "redis://127.0.0.1:1/0"}, "Redis at redis://127.0.0.1:1/0"),
        ({"database": "postgresql://vela:hush@127.0.0.1:1/vela"}, "the database"),
    ):
        told: list[str] = []
        process = ServiceProcess("persistence", settings(**given), told.append)
        with pytest.raises(ServicesFailed, match=f"{what} did not answer for 0 s"):
            await process.run(asyncio.Event(), lambda _: None)
        [line] = told
        assert line.startswith(f"waiting for {what}: ")
        assert "hush" not in line
