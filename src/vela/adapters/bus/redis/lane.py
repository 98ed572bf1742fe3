"""Publishing to one topic: in order, several at a time where several wait, each once even if an answer gets lost."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

import structlog

from vela.adapters.bus.redis.names import Names
from vela.adapters.bus.redis.scripts import ADD, TRIM
from vela.adapters.redis.server import Pauses, RedisFull, RedisServer
from vela.domain.errors import BusError
from vela.domain.events import Topic
from vela.ports.clock import Clock

_MOST_AT_ONCE: Final = 256
_BYTES_AT_ONCE: Final = 1 << 20
_TRIM_AFTER_MESSAGES: Final = 1_000
_TRIM_AFTER_BYTES: Final = 4 << 20
_LONGEST_WAIT_SECONDS: Final = 0.05

KEPT: Final = 100
"""Messages of the market that are left when a stream is trimmed: who starts anew looks back at them."""

_OF_THE_MARKET: Final = frozenset({Topic.CANDLES, Topic.TICKERS})

_log = structlog.get_logger("vela.bus")


class Trimmer:
    """Takes away what every group has handled; whoever is slow is told of before publishers must wait."""

    def __init__(self, server: RedisServer, names: Names, capacity: int) -> None:
        """`capacity`: how many messages a stream may hold."""
        self._server = server
        self._topics: Mapping[str, Topic] = {names.stream(topic): topic for topic in Topic}
        self._capacity = capacity
        kept = min(KEPT, capacity // 100)
        self._kept = {stream: kept if topic in _OF_THE_MARKET else 0 for stream, topic in self._topics.items()}
        self._alarmed: set[str] = set()

    async def trim(self, *streams: str) -> None:
        """Trim these streams, or all.

        Raises:
            BusError: Redis does not answer, or refuses.
        """
        keys = streams or tuple(self._topics)
        answer = await self._server.run(TRIM, keys, [self._kept[stream] for stream in keys])
        for stream, length, slowest in zip(keys, answer[::2], answer[1::2], strict=True):
            self._watch(stream, length, slowest.decode(errors="replace"))

    def _watch(self, stream: str, length: int, slowest: str) -> None:
        if length < self._capacity // 4:
            self._alarmed.discard(stream)
        elif length >= self._capacity // 2 and stream not in self._alarmed:
            self._alarmed.add(stream)
            _log.warning(
                "a consumer is slow; publishers will wait for it",
                topic=self._topics[stream],
                consumer=slowest,
                unhandled=length,
                capacity=self._capacity,
            )


@dataclass(slots=True)
class _Waiting:
    number: int
    message: bytes
    done: asyncio.Future[None]


class Lane:
    """The way into one stream. What several tasks publish while Redis is busy with others goes together."""

    def __init__(
        self, server: RedisServer, clock: Clock, topic: Topic, names: Names, trimmer: Trimmer, capacity: int
    ) -> None:
        """`clock`: the wall clock; `capacity`: how many messages the stream may hold."""
        self._capacity = capacity
        self._server = server
        self._clock = clock
        self._topic = topic
        self._names = names
        self._stream = names.stream(topic)
        self._trimmer = trimmer
        self._waiting: deque[_Waiting] = deque()
        self._number = 0
        self._since_trimmed = [0, 0]
        self._sending: asyncio.Task[None] | None = None

    async def send(self, message: bytes, source: str) -> None:
        """Return once the message is in the stream. `source`: of one life of one publisher.

        Raises:
            BusError: Redis is out of memory or refuses (nothing was published), or it does not answer.
        """
        self._number += 1
        waiting = _Waiting(self._number, message, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        if self._sending is None:
            self._sending = asyncio.create_task(self._send_all(source), name=f"publish {self._topic}")
        await waiting.done

    async def close(self) -> None:
        """Let go of what could not be sent."""
        if self._sending is not None:
            self._sending.cancel()
            await asyncio.gather(self._sending, return_exceptions=True)

    async def _send_all(self, source: str) -> None:
        pauses = Pauses(self._clock, first=0.001, longest=_LONGEST_WAIT_SECONDS)
        try:
            while self._waiting:
                if self._waiting[0].done.cancelled():  # nobody waits for it any more, and it is not in the stream
                    self._waiting.popleft()
                    continue
                batch = self._batch()
                try:
                    told, length = await self._add(batch, source)
                    self._take(batch, told)
                    if told < batch[-1].number or self._is_time_to_trim(length):
                        await self._server.insist("cannot trim", lambda: self._trimmer.trim(self._stream))
                        self._since_trimmed = [0, 0]
                except BusError as e:
                    self._fail(batch, e)
                    continue
                if told >= batch[0].number:
                    pauses.begin_again()
                else:
                    await pauses.pause()
        finally:
            self._sending = None

    def _batch(self) -> list[_Waiting]:
        batch: list[_Waiting] = []
        size = 0
        for waiting in islice(self._waiting, _MOST_AT_ONCE):
            size += len(waiting.message)
            if batch and size > _BYTES_AT_ONCE:
                break
            batch.append(waiting)
        return batch

    async def _add(self, batch: Sequence[_Waiting], source: str) -> tuple[int, int]:
        keys = (self._names.clock, self._stream, self._names.told(self._topic, source))
        arguments: list[bytes | str | int] = [self._capacity]
        for waiting in batch:
            arguments += (waiting.number, waiting.message)
        what = f"cannot publish to {self._topic}"

        async def add() -> tuple[int, int]:
            told, length = await self._server.run(ADD, keys, arguments)
            return int(told), int(length)

        try:
            return await self._server.insist(what, add)
        except RedisFull:
            # What all have handled is the first thing that memory can be got from.
            await self._server.insist(what, self._trimmer.trim)
            return await self._server.insist(what, add)

    def _take(self, batch: Sequence[_Waiting], told: int) -> None:
        for waiting in batch:
            if waiting.number > told:
                break
            self._waiting.popleft()
            self._since_trimmed[0] += 1
            self._since_trimmed[1] += len(waiting.message)
            if not waiting.done.done():
                waiting.done.set_result(None)

    def _fail(self, batch: Sequence[_Waiting], error: BusError) -> None:
        for waiting in batch:
            if self._waiting and self._waiting[0] is waiting:
                self._waiting.popleft()
                if not waiting.done.done():
                    waiting.done.set_exception(BusError(str(error)))

    def _is_time_to_trim(self, length: int) -> bool:
        messages, size = self._since_trimmed
        return (
            messages >= _TRIM_AFTER_MESSAGES
            or size >= _TRIM_AFTER_BYTES
            or (length >= self._capacity // 2 and messages >= max(1, self._capacity // 10))
        )
