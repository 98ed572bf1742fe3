"""Work beside the event loop, for which nobody waits longer than they want to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from threading import Thread
from typing import TypeVar

_Result = TypeVar("_Result")
_Pieces = SimpleQueue[Callable[[], None] | None]  # None ends it


class Beside:
    """A thread that waits for work, because to start one takes longer than most of what is to be done.

    A thread that nobody waits for any more is left to itself, and another takes its place. None keeps a process from
    ending.
    """

    def __init__(self) -> None:
        """Begin without a thread."""
        self._idle: _Pieces | None = None

    async def run(self, work: Callable[[], _Result], seconds: float) -> _Result:
        """Return what `work` returns.

        Raises:
            TimeoutError: it took longer than `seconds`; it runs on, and whatever comes of it is void.
            Exception: what it raised.
        """
        answer: asyncio.Future[_Result] = asyncio.get_running_loop().create_future()
        pieces, self._idle = self._idle or _begun(), None
        pieces.put(partial(_answer, answer, work))
        try:
            async with asyncio.timeout(seconds):
                return await answer
        except TimeoutError:
            if answer.done() and not answer.cancelled():  # its own
                raise
            raise TimeoutError(f"no answer within {seconds:g} s") from None
        finally:
            if answer.cancelled() or self._idle is not None:
                pieces.put(None)
            else:
                self._idle = pieces

    def close(self) -> None:
        """Let the thread go."""
        if self._idle is not None:
            self._idle.put(None)
            self._idle = None


def _begun() -> _Pieces:
    pieces: _Pieces = SimpleQueue()
    Thread(target=_work_off, args=(pieces,), daemon=True, name="beside").start()
    return pieces


def _work_off(pieces: _Pieces) -> None:
    while (piece := pieces.get()) is not None:
        piece()


def _answer(answer: asyncio.Future[_Result], work: Callable[[], _Result]) -> None:
    settle: Callable[[], None]
    try:
        settle = partial(answer.set_result, work())
    except Exception as error:  # noqa: BLE001  it is for whoever asked
        settle = partial(answer.set_exception, error)
    with suppress(RuntimeError):  # the loop has ended meanwhile
        answer.get_loop().call_soon_threadsafe(_tell, answer, settle)


def _tell(answer: asyncio.Future[_Result], settle: Callable[[], None]) -> None:
    if not answer.done():  # else nobody waits any more
        settle()
