"""What a process holds does not grow: row B16. For minutes of it and memory, see `bench/bench_soak.py`."""

from __future__ import annotations

import asyncio
import gc
import sys
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import pytest
from tests.fakes import Listener, until
from tests.faults.catalogue.sessions import priced, session, settings
from tests.integration.venue_server import RunningVenue

from vela.bootstrap.application import Application
from vela.domain.events import PricesMoved

FILES = Path("/proc/self/fd")
RECONNECTS = 3  # of each kind


class Held(NamedTuple):
    """What this process holds. `files`: the venue's, too, which runs here; `sockets`: of the client."""

    tasks: int
    files: int
    sockets: int


@pytest.mark.skipif(sys.platform != "linux", reason="open files are counted in /proc")
async def test_b16_after_many_lost_connections_nothing_is_held_that_was_not_before(
    venue: RunningVenue, tmp_path: Path
) -> None:
    async with session(settings(venue, tmp_path)) as (heard, application):
        await until(lambda: priced(venue, heard))
        await reconnected(venue, application, heard, "/disconnect")
        before = await quiet()
        for path in ["/disconnect", "/logout"] * RECONNECTS:
            await reconnected(venue, application, heard, path)
        after = await quiet()
    # Connections kept for the next request come and go by one or two; what each lost one left behind is seen.
    assert all(now - then < RECONNECTS for now, then in zip(after, before, strict=True)), (before, after)


async def reconnected(venue: RunningVenue, application: Application, heard: Listener, path: str) -> None:
    """Cut what is connected and wait until prices and the account's events come again."""
    client: Any = application._market._connection._client  # type: ignore[attr-defined]
    subscribed = client._subscribed
    venue.control.post(path).raise_for_status()
    await until(lambda: client._subscribed not in {subscribed, None})
    heard.messages.clear()
    await until(lambda: priced(venue, heard) and heard.of(PricesMoved))


async def quiet() -> Held:
    """Count what is held once that has not changed for a while: what was closed takes some turns to be gone."""
    found, since = held(), 0
    while since < 4:
        await asyncio.sleep(0.1)
        now = held()
        found, since = now, (since + 1 if now == found else 0)
    return found


def held() -> Held:
    gc.collect()
    sockets = sum(type(one) is aiohttp.ClientWebSocketResponse for one in gc.get_objects())
    return Held(len(asyncio.all_tasks()), len([*FILES.iterdir()]), sockets)
