from __future__ import annotations

import asyncio

import pytest

from vela.domain.errors import StorageUnavailable
from vela.services.turns import Turns


async def test_turns_come_one_at_a_time_in_order() -> None:
    turns, done = Turns(), []

    async def act(name: str) -> None:
        async with turns.turn():
            done.append(f"{name} begins")
            await asyncio.sleep(0)
            done.append(f"{name} ends")

    await asyncio.gather(act("a"), act("b"))
    assert done == ["a begins", "a ends", "b begins", "b ends"]


@pytest.mark.parametrize("reason", [StorageUnavailable("the disk is full"), asyncio.CancelledError()])
async def test_who_waited_behind_a_turn_that_failed_does_not_act(reason: BaseException) -> None:
    turns, acted, begun = Turns(), [], asyncio.Event()

    async def fail() -> None:
        async with turns.turn():
            begun.set()
            await asyncio.sleep(0)
            raise reason

    async def act() -> None:
        await begun.wait()
        async with turns.turn():
            acted.append(1)

    ends = await asyncio.gather(fail(), act(), return_exceptions=True)
    assert [type(end) for end in ends] == [type(reason)] * 2
    with pytest.raises(type(reason)):
        await act()
    assert acted == []
