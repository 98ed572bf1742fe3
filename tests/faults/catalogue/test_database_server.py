"""The record's server: row B23."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import msgspec
from tests.places import PostgresPlace, RecordPlace, SqlitePlace

from vela.bootstrap.application import Application
from vela.bootstrap.settings import Settings
from vela.domain.position import Trade
from vela.ports.record import Summary

CANDLES = 400
KILLED_AT = (60, 200)


def settings(place: RecordPlace) -> Settings:
    database = None
    if isinstance(place, PostgresPlace):
        database = place.server.network_url(place.name).render_as_string(hide_password=False)
    values = {"symbols": "BTC,ETH,SOL", "candles": CANDLES, "speed": "max", "page": False, "cooldown": 0}
    return Settings.model_validate(values | {"data_dir": place.data_dir, "database": database})


async def session(place: RecordPlace, killed_at: Sequence[int] = ()) -> Summary:
    """Trade to the market's end; at some of its candles the server is killed and started again."""
    application = Application(settings(place), until_end=True)
    running = asyncio.create_task(application.run(asyncio.Event(), lambda _ready: None))
    for number in killed_at:
        while application.progress is None or application.progress.done < number:
            assert not running.done()
            await asyncio.sleep(0.001)
        assert isinstance(place, PostgresPlace)
        await asyncio.to_thread(place.server.stop, "immediate")
        await asyncio.to_thread(place.server.start)
    return await running


def trades(place: RecordPlace) -> list[Trade]:
    with place.open() as record:
        return list(record.reader.trades(limit=10_000))


def ledger(place: RecordPlace) -> list[tuple[object, ...]]:
    rows = place.execute("SELECT transaction_id, line, account, asset, amount FROM ledger_entries ORDER BY 1, 2")
    return [(*row[:4], str(row[4])) for row in rows]


async def test_b23_a_server_that_is_killed_and_comes_back_has_lost_and_doubled_nothing(
    postgresql_place: PostgresPlace, tmp_path: Path
) -> None:
    undisturbed = SqlitePlace(tmp_path / "undisturbed")
    expected = await session(undisturbed)
    assert expected.trades >= 10
    summary = await session(postgresql_place, KILLED_AT)
    assert trades(postgresql_place) == trades(undisturbed)
    assert ledger(postgresql_place) == ledger(undisturbed)
    assert msgspec.structs.asdict(summary) == msgspec.structs.asdict(expected)
