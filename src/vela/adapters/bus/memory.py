"""The bus inside one process. It encodes and decodes every message, so that what passes here passes on a wire."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from vela.domain.codec import decode, encode
from vela.domain.errors import BusError, StorageUnavailable
from vela.domain.events import TOPIC_OF, Envelope, Message, Topic
from vela.ports.bus import Handler
from vela.ports.clock import Clock

_DEAD_LETTERS_KEPT = 100


@dataclass(slots=True)
class _Consumer:
    queue: deque[Envelope] = field(default_factory=deque)
    waiting: asyncio.Future[None] | None = None
    room: asyncio.Event = field(default_factory=asyncio.Event)
    deliveries: int = 0
    is_open: bool = True


class MemoryBus:
    """A `Bus` for services that are tasks of one event loop."""

    def __init__(self, clock: Clock, *, source: str = "vela", capacity: int = 10_000, max_deliveries: int = 3) -> None:
        """`clock`: the wall clock; `capacity`: messages a consumer may leave waiting before publishers wait."""
        self._clock = clock
        self._source = source
        self._capacity = capacity
        self._max_deliveries = max_deliveries
        self._consumers: dict[str, _Consumer] = {}
        self._routes: dict[Topic, list[_Consumer]] = {topic: [] for topic in Topic}
        self._published = 0
        self._unhandled = 0
        self._settling: set[asyncio.Future[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._dead: deque[Envelope] = deque(maxlen=_DEAD_LETTERS_KEPT)

    async def publish(self, message: Message) -> None:
        """See `Bus.publish`."""
        topic = TOPIC_OF.get(type(message))
        if topic is None:
            raise BusError(f"message {type(message).__name__} belongs to no topic")
        self._published += 1
        envelope = Envelope(f"{self._source}-{self._published}", self._clock.now(), message)  # type: ignore[arg-type]  # AnyMessage is exactly the keys of TOPIC_OF
        delivered = decode(encode(envelope))
        for consumer in tuple(self._routes[topic]):
            while consumer.is_open and len(consumer.queue) >= self._capacity:
                consumer.room.clear()
                await consumer.room.wait()
            if consumer.is_open:
                consumer.queue.append(delivered)
                if consumer.waiting is not None and not consumer.waiting.done():
                    consumer.waiting.set_result(None)
                self._unhandled += 1

    def subscribe(self, consumer: str, *topics: Topic) -> None:
        """See `Bus.subscribe`."""
        entry = self._consumers.setdefault(consumer, _Consumer())
        for topic in topics:
            if entry not in self._routes[topic]:
                self._routes[topic].append(entry)

    def unsubscribe(self, consumer: str) -> None:
        """See `Bus.unsubscribe`."""
        entry = self._consumers.pop(consumer, None)
        if entry is None:
            return
        for route in self._routes.values():
            if entry in route:
                route.remove(entry)
        entry.is_open = False
        self._handled(len(entry.queue))
        entry.queue.clear()
        entry.room.set()

    async def consume(self, consumer: str, handler: Handler) -> None:
        """See `Bus.consume`."""
        entry = self._consumers[consumer]
        # Asked for once: it takes a system call, and here it would be one per message.
        self._loop = self._loop or asyncio.get_running_loop()
        while True:
            while not entry.queue:
                entry.waiting = self._loop.create_future()
                await entry.waiting
            envelope = entry.queue[0]
            entry.deliveries += 1
            try:
                await handler(envelope)
            except StorageUnavailable:
                entry.deliveries -= 1
                raise
            except Exception:
                if entry.deliveries >= self._max_deliveries:
                    self._dead.append(envelope)
                    self._advance(entry)
                raise
            self._advance(entry)

    def _advance(self, entry: _Consumer) -> None:
        entry.deliveries = 0
        if entry.queue:
            entry.queue.popleft()
            self._handled(1)
        entry.room.set()

    def _handled(self, count: int) -> None:
        self._unhandled -= count
        if self._unhandled == 0:
            for future in self._settling:
                if not future.done():
                    future.set_result(None)

    async def settled(self) -> None:
        """See `Bus.settled`."""
        while self._unhandled:
            future: asyncio.Future[None] = asyncio.Future(loop=self._loop)
            self._settling.add(future)
            try:
                await future
            finally:
                self._settling.discard(future)

    async def consumers(self, topic: Topic) -> frozenset[str]:
        """See `Bus.consumers`."""
        return frozenset(name for name, entry in self._consumers.items() if entry in self._routes[topic])

    async def handled(self, consumer: str, topic: Topic, *, most: int) -> Sequence[Envelope]:  # noqa: ARG002
        """See `Bus.handled`. None is kept."""
        return ()

    def dead_letters(self) -> tuple[Envelope, ...]:
        """See `Bus.dead_letters`."""
        return tuple(self._dead)
