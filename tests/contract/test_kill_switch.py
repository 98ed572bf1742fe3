from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from tests.places import RecordPlace

from vela.adapters.storage.sql.kill_switch import SqlKillSwitch, beside_a_running_system
from vela.adapters.storage.sql.record import Record
from vela.domain.errors import StorageError
from vela.ports.kill_switch import NEVER_SET, KillSwitch, SwitchState


@pytest.fixture
def record(place: RecordPlace) -> Iterator[Record]:
    with place.open() as opened:
        yield opened


@pytest.fixture
def look(record: Record) -> KillSwitch:
    """The running system's."""
    return record.kill_switch


@pytest.fixture
def open_switch(record: Record, place: RecordPlace) -> Iterator[Callable[[], KillSwitch]]:
    """Opens it as a command would, beside a running system; each has a connection of its own."""
    with ExitStack() as opened:
        yield lambda: SqlKillSwitch(opened.enter_context(beside_a_running_system(place.database())))


@pytest.fixture
def switch(open_switch: Callable[[], KillSwitch]) -> KillSwitch:
    return open_switch()


async def test_it_is_off_where_it_was_never_set(switch, look):
    assert await switch.state() == await look.state() == NEVER_SET
    assert not NEVER_SET.is_on


async def test_what_one_sets_the_others_see_at_once(switch, look):
    on = await switch.turn(on=True, time=5, by="command", reason="away", flatten=True)
    assert on == await look.state() == SwitchState(1, 5, is_on=True, flatten=True, reason="away", by="command")
    off = await switch.turn(on=False, time=6, by="command")
    assert off == await look.state() == SwitchState(2, 6, by="command")


async def test_it_outlives_everybody(switch, record, place):
    on = await switch.turn(on=True, time=5, by="command")
    record.close()
    with place.open() as again:
        assert await again.kill_switch.state() == on


async def test_off_closes_nothing(switch):
    assert not (await switch.turn(on=False, time=5, by="command", flatten=True)).flatten


async def test_requests_to_count_anew_add_up_so_that_none_is_missed(switch, open_switch, look):
    other = open_switch()
    for number, (one, reset) in enumerate(((switch, True), (other, False), (switch, True)), start=1):
        state = await one.turn(on=False, time=number, by="command", reset_limits=reset)
        assert state.number == number
    assert (await look.state()).resets == 2


async def test_several_may_set_it_at_once_and_every_setting_is_kept(open_switch, place):
    async def set_it(number: int):
        return await open_switch().turn(on=number % 2 == 0, time=number, by=f"command {number}")

    states = await asyncio.gather(*(set_it(number) for number in range(10)))
    assert sorted(state.number for state in states) == list(range(1, 11))
    rows = place.execute("SELECT number, by FROM kill_switch ORDER BY number")
    assert rows == sorted((state.number, state.by) for state in states)


async def test_a_switch_that_is_not_there_cannot_be_read_or_set(switch, look, place):
    place.execute("DROP TABLE kill_switch")
    with pytest.raises(StorageError, match=r"no such table|does not exist"):
        await look.state()
    with pytest.raises(StorageError, match=r"no such table|does not exist"):
        await switch.turn(on=True, time=1, by="command")


async def test_whoever_only_looks_cannot_set_it(look):
    with pytest.raises(StorageError, match=r"read-?only"):
        await look.turn(on=True, time=1, by="service")
    assert await look.state() == NEVER_SET
