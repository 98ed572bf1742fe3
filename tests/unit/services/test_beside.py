from __future__ import annotations

import asyncio
import threading

import pytest

from vela.services.beside import beside


async def test_the_answer_comes_while_the_loop_goes_on() -> None:
    go_on = threading.Event()
    asyncio.get_running_loop().call_soon(go_on.set)

    def work() -> str:
        assert go_on.wait(5)
        return "done"

    assert await beside(work, 5.0) == "done"


@pytest.mark.parametrize("error", [ValueError("no"), TimeoutError("of its own")])
async def test_what_it_raises_is_raised(error: Exception) -> None:
    def work() -> None:
        raise error

    with pytest.raises(type(error), match=str(error)):
        await beside(work, 5.0)


async def test_nobody_waits_longer_and_what_comes_later_is_void() -> None:
    go_on, ended = threading.Event(), threading.Event()

    def work() -> None:
        go_on.wait(5)
        ended.set()

    with pytest.raises(TimeoutError, match=r"no answer within 0\.01 s"):
        await beside(work, 0.01)
    go_on.set()
    await asyncio.to_thread(ended.wait, 5)
    await asyncio.sleep(0.01)
