from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from vela.services.beside import Beside


@pytest.fixture
def beside() -> Iterator[Beside]:
    made = Beside()
    yield made
    made.close()


async def test_the_answer_comes_while_the_loop_goes_on(beside: Beside) -> None:
    go_on = threading.Event()
    asyncio.get_running_loop().call_soon(go_on.set)

    def work() -> str:
        assert go_on.wait(5)
        return "done"

    assert await beside.run(work, 5.0) == "done"


@pytest.mark.parametrize("error", [ValueError("no"), TimeoutError("of its own")])
async def test_what_it_raises_is_raised(beside: Beside, error: Exception) -> None:
    def work() -> None:
        raise error

    with pytest.raises(type(error), match=str(error)):
        await beside.run(work, 5.0)
    assert await beside.run(lambda: 1, 5.0) == 1


async def test_nobody_waits_longer_and_what_comes_later_is_void(beside: Beside) -> None:
    go_on, ended = threading.Event(), threading.Event()

    def work() -> None:
        go_on.wait(5)
        ended.set()

    with pytest.raises(TimeoutError, match=r"no answer within 0\.01 s"):
        await beside.run(work, 0.01)
    assert await beside.run(lambda: "in another thread", 5.0) == "in another thread"
    go_on.set()
    await asyncio.to_thread(ended.wait, 5)
    await asyncio.sleep(0.01)


async def test_one_thread_does_one_piece_after_another(beside: Beside) -> None:
    threads = [await beside.run(threading.current_thread, 5.0) for _ in range(5)]
    assert len(set(threads)) == 1
    assert threads[0].daemon


async def test_two_at_a_time_have_a_thread_each_and_one_of_them_is_kept(beside: Beside) -> None:
    meeting = threading.Barrier(2, timeout=5)

    def work() -> threading.Thread:
        meeting.wait()
        return threading.current_thread()

    both = await asyncio.gather(beside.run(work, 5.0), beside.run(work, 5.0))
    kept = await beside.run(threading.current_thread, 5.0)
    assert len(set(both)) == 2
    assert kept in both
    await gone(next(thread for thread in both if thread is not kept))


async def test_closed_it_holds_no_thread(beside: Beside) -> None:
    thread = await beside.run(threading.current_thread, 5.0)
    beside.close()
    beside.close()
    await gone(thread)


async def test_a_thread_that_was_late_ends_with_its_work(beside: Beside) -> None:
    go_on, threads = threading.Event(), list[threading.Thread]()

    def work() -> None:
        threads.append(threading.current_thread())
        go_on.wait(5)

    with pytest.raises(TimeoutError):
        await beside.run(work, 0.2)
    go_on.set()
    await gone(threads[0])


async def gone(thread: threading.Thread) -> None:
    await asyncio.to_thread(thread.join, 5)
    assert not thread.is_alive()
