"""One thing at a time, and nothing after one that failed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Turns:
    """Lets one task at a time act on what they share.

    A turn that did not come to its end may have left memory ahead of what is written down. Whoever still waits then
    must not act on that memory: what ended the turn ends all that would have followed.
    """

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._ended_by: BaseException | None = None

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for the turn, and hold it.

        Raises:
            BaseException: what ended an earlier turn.
        """
        async with self._lock:
            if self._ended_by is not None:
                raise self._ended_by
            try:
                yield
            except BaseException as reason:
                self._ended_by = reason
                raise
