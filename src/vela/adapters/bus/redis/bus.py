"""The bus between processes."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Final

import structlog

from vela.adapters.bus.redis.inbox import Entry, Inbox, Member, is_unknown_group
from vela.adapters.bus.redis.lane import Lane, Trimmer
from vela.adapters.bus.redis.names import FIELD, Names
from vela.adapters.bus.redis.scripts import GROUPS, IS_SETTLED, REPLACE
from vela.adapters.redis.server import Pauses, RedisRefused, RedisServer
from vela.domain.codec import decode, encode
from vela.domain.errors import BusError, StorageUnavailable
from vela.domain.events import TOPIC_OF, Envelope, Message, Topic
from vela.ports.bus import Handler
from vela.ports.clock import Clock

CAPACITY: Final = 10_000
"""How many messages a stream may hold, unless somebody says otherwise."""
MAX_BYTES: Final = 16 << 20
"""How large a message may be, unless somebody says otherwise."""
_DEAD_LETTERS_KEPT: Final = 100
_LONGEST_LOOK_SECONDS: Final = 0.01
_LAST_ERRANDS_SECONDS: Final = 1.0

_log = structlog.get_logger("vela.bus")


class RedisBus:
    """A `Bus` for services in processes of their own, on Redis 6.2 or newer.

    What the port asks holds over all processes: consumers of one name are one, `settled` means everybody, order is that
    in which Redis took the messages. A consumer that nobody runs any more holds up publishers and whoever waits for
    `settled`, and loses nothing; `unsubscribe` is how it is given up.

    A message whose handler died, however it died, is tried `max_deliveries` times. Dead letters of all processes lie in
    the streams `vela:dead:<topic>`; `dead_letters` tells those that this process could read and not handle.
    """

    def __init__(
        self,
        server: RedisServer,
        clock: Clock,
        *,
        source: str = "vela",
        member: str = "1",
        capacity: int = CAPACITY,
        max_deliveries: int = 3,
        max_bytes: int = MAX_BYTES,
        dead_after: float = 30.0,
    ) -> None:
        """Nothing is sent before the first call.

        Args:
            server: where the bus lies; the bus closes it.
            clock: the wall clock.
            source: begins the ids of messages published here.
            member: tells apart processes that share a consumer's name; the same each time a process starts.
            capacity: messages of a topic that a consumer may leave unhandled before publishers wait.
            max_deliveries: tries before a message becomes a dead letter.
            max_bytes: the largest message; a larger one cannot be published, and becomes a dead letter where another
                program published it.
            dead_after: seconds after which what another member was given and did not finish is taken from it.
        """
        self._server = server
        self._clock = clock
        self._source = source
        self._member = member
        self._max_deliveries = max_deliveries
        self._max_bytes = max_bytes
        self._dead_after = dead_after
        self._names = Names(tagged=server.is_cluster)
        trimmer = Trimmer(server, self._names, capacity)
        self._lanes = {topic: Lane(server, clock, topic, self._names, trimmer, capacity) for topic in Topic}
        self._topics: dict[str, list[Topic]] = {}
        self._families: dict[str, str] = {}
        self._errands: deque[Callable[[], Awaitable[None]]] = deque([self._begin_life])
        self._running: asyncio.Task[None] | None = None
        self._life = ""
        self._published = 0
        self._dead: deque[Envelope] = deque(maxlen=_DEAD_LETTERS_KEPT)

    async def publish(self, message: Message) -> None:
        """See `Bus.publish`.

        Raises:
            BusError: besides, the message is too large, Redis is out of memory or refuses (then it was not published),
                or it does not answer for long (then it may have been).
        """
        topic = TOPIC_OF.get(type(message))
        if topic is None:
            raise BusError(f"message {type(message).__name__} belongs to no topic")
        await self._errands_done()
        self._published += 1
        envelope = Envelope(f"{self._life}-{self._published}", self._clock.now(), message)  # type: ignore[arg-type]  # AnyMessage is exactly the keys of TOPIC_OF
        data = encode(envelope)
        if len(data) > self._max_bytes:
            name = type(message).__name__
            raise BusError(f"message {name} has {len(data):,} bytes; accepted: up to {self._max_bytes:,}")
        await self._lanes[topic].send(data, self._life)

    def subscribe(self, consumer: str, *topics: Topic) -> None:
        """See `Bus.subscribe`. It takes effect before anything that is published here afterwards."""
        known = self._topics.setdefault(consumer, [])
        added = [topic for topic in topics if topic not in known]
        known += added

        async def create() -> None:
            for topic in added:
                await self._create_group(topic, consumer, "$")

        self._run_errand(create)

    def unsubscribe(self, consumer: str) -> None:
        """See `Bus.unsubscribe`. It holds for the name, in whichever process it was subscribed."""
        topics = self._topics.pop(consumer, None) or list(Topic)

        async def destroy() -> None:
            for topic in topics:
                with suppress(RedisRefused):  # there is no such stream
                    await self._server.call("XGROUP", "DESTROY", self._names.stream(topic), consumer)

        self._run_errand(destroy)

    async def replace(self, family: str, members: Sequence[str], topic: Topic) -> None:
        """Put consumers in the place of all others of a topic that are called `family` or `family-…`, in one step.

        Each new one begins with the oldest message that one of those before has not handled: none is lost, and some may
        come again. Those before collect nothing any more.

        Raises:
            BusError: Redis does not answer for long, or refuses.
        """
        await self._errands_done()
        self._families |= dict.fromkeys(members, family)
        keys, arguments = [self._names.stream(topic)], [family, *members]
        await self._server.insist("cannot subscribe", lambda: self._server.run(REPLACE, keys, arguments))

    async def consume(self, consumer: str, handler: Handler) -> None:
        """See `Bus.consume`. While Redis is away it waits.

        Raises:
            BusError: `consumer` was never subscribed here, or Redis refuses.
        """
        if consumer not in self._topics:
            raise BusError(f"consumer {consumer!r} is subscribed to nothing")
        await self._errands_done()
        member = Member(consumer, self._member, self._dead_after)
        inbox = Inbox(self._server, self._clock, self._names, member, self._topics[consumer])
        try:
            while True:
                entry = await self._next(consumer, inbox)
                envelope = await self._read(inbox, entry)
                if envelope is None:
                    continue
                try:
                    await handler(envelope)
                except StorageUnavailable:
                    await inbox.excuse(entry)
                    raise
                except Exception as e:
                    if entry.tries >= self._max_deliveries:
                        await self._give_up(inbox, entry, envelope, f"{type(e).__name__}: {e}"[:300])
                    raise
                inbox.done(entry)
        finally:
            await inbox.close()

    async def settled(self) -> None:
        """See `Bus.settled`: every consumer of every process has read and acknowledged all there is.

        Redis answers that for all streams at one moment. What follows from a message is published before the message is
        acknowledged, so there is no moment at which both are missing. Nobody tells when that moment comes; it is asked
        for in growing intervals, up to 10 ms.

        Raises:
            BusError: Redis does not answer for long, or refuses.
        """
        await self._errands_done()
        streams = [self._names.stream(topic) for topic in Topic]
        pauses = Pauses(self._clock, first=0.0005, longest=_LONGEST_LOOK_SECONDS)
        while not await self._server.insist("cannot settle", lambda: self._server.run(IS_SETTLED, streams)):
            await pauses.pause()

    async def consumers(self, topic: Topic) -> frozenset[str]:
        """See `Bus.consumers`.

        Raises:
            BusError: Redis does not answer for long, or refuses.
        """
        return frozenset(await self._groups(topic))

    async def handled(self, consumer: str, topic: Topic, *, most: int) -> Sequence[Envelope]:
        """See `Bus.handled`. Of the market's topics a few are left when a stream is trimmed (`KEPT`).

        Raises:
            BusError: Redis does not answer for long, or refuses.
        """
        newest = (await self._groups(topic)).get(consumer)
        if newest is None:
            return ()
        stream, server = self._names.stream(topic), self._server
        what = "cannot look back"
        given = await server.insist(what, lambda: server.call("XREVRANGE", stream, newest, "-", "COUNT", most))
        pending = await server.insist(
            what, lambda: server.call("XPENDING", stream, consumer, "-", "+", most, parse_detail=True)
        )
        open_ids = {one["message_id"] for one in pending}
        done = [fields.get(FIELD.encode()) for entry_id, fields in reversed(given) if entry_id not in open_ids]
        return [decode(message) for message in done if message is not None]

    async def newest(self, topic: Topic) -> Envelope | None:
        """Return the newest message that was published to `topic`, as far as it is still there.

        Raises:
            BusError: Redis does not answer for long, or refuses.
        """
        stream, server = self._names.stream(topic), self._server
        told = await server.insist("cannot look back", lambda: server.call("XREVRANGE", stream, "+", "-", "COUNT", 1))
        return decode(told[0][1][FIELD.encode()]) if told else None

    async def _groups(self, topic: Topic) -> dict[str, bytes]:
        """Return the groups of a topic's stream, and up to where each was given its messages."""
        stream = self._names.stream(topic)
        answer = await self._server.insist("cannot look around", lambda: self._server.run(GROUPS, [stream]))
        return {name.decode(): newest for name, newest in zip(answer[::2], answer[1::2], strict=True)}

    def dead_letters(self) -> tuple[Envelope, ...]:
        """See `Bus.dead_letters`; those of this process."""
        return tuple(self._dead)

    async def close(self) -> None:
        """Let go of Redis. Who consumes must have been cancelled before; who was unsubscribed is given up first."""
        with suppress(BusError, TimeoutError):
            async with asyncio.timeout(_LAST_ERRANDS_SECONDS):
                await self._errands_done()
        for lane in self._lanes.values():
            await lane.close()
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
        await self._server.close()

    # ------------------------------------------------------------------------------------------------------- consuming

    async def _next(self, consumer: str, inbox: Inbox) -> Entry:
        while True:
            try:
                return await inbox.take()
            except RedisRefused as e:
                if not is_unknown_group(e):
                    raise
            if consumer not in self._topics:  # unsubscribed meanwhile: nothing will come
                await asyncio.Event().wait()
            await self._require_current(consumer)
            _log.error("Redis has lost who collects what; whatever its streams hold is collected", consumer=consumer)
            for topic in self._topics[consumer]:
                await self._create_group(topic, consumer, "0")

    async def _require_current(self, consumer: str) -> None:
        family = self._families.get(consumer)
        for topic in self._topics[consumer] if family is not None else ():
            others = [name for name in await self._groups(topic) if f"{name}-".startswith(f"{family}-")]
            if others:
                raise BusError(
                    f"consumer {consumer} was replaced by {', '.join(sorted(others))}; "
                    "accepted: the same number of shards in every process"
                )

    async def _read(self, inbox: Inbox, entry: Entry) -> Envelope | None:
        """Return the message, or None where it was set aside."""
        try:
            envelope = self._decoded(entry.message)
        except BusError as e:
            await inbox.bury(entry, str(e)[:300])
            return None
        if entry.tries > self._max_deliveries:
            reason = f"tried {entry.tries - 1} times, and nobody lived to say what came of it"
            await self._give_up(inbox, entry, envelope, reason)
            return None
        return envelope

    def _decoded(self, message: bytes | None) -> Envelope:
        if message is None:
            raise BusError("the entry holds no message")
        if len(message) > self._max_bytes:
            raise BusError(f"{len(message):,} bytes; accepted: up to {self._max_bytes:,}")
        return decode(message)

    async def _give_up(self, inbox: Inbox, entry: Entry, envelope: Envelope, reason: str) -> None:
        try:
            await inbox.bury(entry, reason)
        except BusError as e:  # it comes again, and is given up then
            _log.error("cannot set a message aside", id=envelope.id, error=str(e))
        else:
            self._dead.append(envelope)

    # --------------------------------------------------------------------------------------------------------- errands

    def _run_errand(self, errand: Callable[[], Awaitable[None]]) -> None:
        """Do what takes an answer from Redis, in order, as soon as there is a loop."""
        self._errands.append(errand)
        with suppress(RuntimeError):  # no loop runs yet: whoever awaits first brings it
            asyncio.get_running_loop()
            self._start_errands()

    def _start_errands(self) -> asyncio.Task[None]:
        if self._running is None:
            self._running = asyncio.create_task(self._do_errands(), name="bus errands")
            self._running.add_done_callback(_tell)
        return self._running

    async def _errands_done(self) -> None:
        while self._errands:
            await asyncio.shield(self._start_errands())

    async def _do_errands(self) -> None:
        try:
            while self._errands:
                await self._server.insist("cannot subscribe", self._errands[0])
                self._errands.popleft()
        finally:
            self._running = None

    async def _begin_life(self) -> None:
        # Two processes may start in the same millisecond, and Redis may forget its count: both together are unique.
        number = await self._server.call("INCR", self._names.lives)
        self._life = f"{self._source}.{self._clock.now()}.{number}"

    async def _create_group(self, topic: Topic, consumer: str, start: str) -> None:
        try:
            await self._server.call("XGROUP", "CREATE", self._names.stream(topic), consumer, start, "MKSTREAM")
        except RedisRefused as e:
            if "BUSYGROUP" not in str(e):  # else it is there already, with what waits for it
                raise


def _tell(errands: asyncio.Task[None]) -> None:
    if not errands.cancelled() and (error := errands.exception()) is not None:
        _log.error("cannot subscribe", error=str(error))
