"""Work beside the event loop, for which nobody waits longer than they want to."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TypeVar

_Result = TypeVar("_Result")


async def beside(work: Callable[[], _Result], seconds: float) -> _Result:
    """Return what `work` returns. It runs in a thread of its own, which keeps no process from ending.

    Raises:
        TimeoutError: it took longer than `seconds`; it runs on, and whatever comes of it is void.
        Exception: what it raised.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[_Result] = loop.create_future()

    def tell(settle: Callable[[], None]) -> None:
        if not answer.done():  # else nobody waits any more
            settle()

    def run() -> None:
        settle: Callable[[], None]
        try:
            settle = partial(answer.set_result, work())
        except Exception as error:  # noqa: BLE001  it is for whoever asked
            settle = partial(answer.set_exception, error)
        with suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(tell, settle)

    threading.Thread(target=run, daemon=True).start()
    try:
        async with asyncio.timeout(seconds):
            return await answer
    except TimeoutError:
        if answer.done() and not answer.cancelled():  # its own
            raise
        raise TimeoutError(f"no answer within {seconds:g} s") from None
