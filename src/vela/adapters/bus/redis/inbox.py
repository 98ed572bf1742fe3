"""What a consumer collects: several streams in one order, at least once, through every crash.

A consumer is a group on each of its streams, and one member of that group, whose name stays the same for good. What the
member was given and did not acknowledge stays with it in Redis. `Inbox` takes that up again first, whenever it begins
and whenever an answer got lost; what a dead member of another name holds, it claims after a while. No member is ever
removed: Redis would forget what it holds.

How often a message was tried is Redis' own count of its deliveries, so it outlives the process. Messages are fetched
many at a time but tried one by one; to count tries and not fetches, those taken up again are claimed singly, each
just before it is tried. That is what reading from id 0 and XAUTOCLAIM do, save that these would count all at once.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import structlog

from vela.adapters.bus.redis.names import FIELD, Names
from vela.adapters.bus.redis.scripts import BURY
from vela.adapters.redis.server import Pauses, RedisRefused, RedisServer, RedisUnreachable
from vela.domain.errors import BusError
from vela.domain.events import Topic
from vela.ports.clock import Clock

_FETCHED_AT_ONCE: Final = 100  # of each stream
_PAGE: Final = 1_000
_BLOCK_MS: Final = 2_000  # less than what a connection waits for an answer
_LETTERS_KEPT: Final = 1_000
_BYTES_KEPT: Final = 1 << 16  # of a letter that is too large
_FIELD: Final = FIELD.encode()

_log = structlog.get_logger("vela.bus")

EntryId = tuple[int, int]


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """A message as it lies in its stream.

    Attributes:
        id: where; grows over all streams.
        topic: its stream's.
        message: its bytes; None: the entry has no message.
        tries: how often it was tried, this time included.
    """

    id: EntryId
    topic: Topic = field(compare=False)
    message: bytes | None = field(compare=False)
    tries: int = field(compare=False)

    @property
    def name(self) -> str:
        """The id as Redis writes it."""
        return f"{self.id[0]}-{self.id[1]}"


@dataclass(frozen=True, slots=True, order=True)
class _Held:
    """A message that was given out before; `tries`: how often it was tried so far."""

    id: EntryId
    topic: Topic = field(compare=False)
    tries: int = field(compare=False)
    is_ours: bool = field(compare=False)


@dataclass(frozen=True, slots=True)
class Member:
    """Who collects: `name` within the group `group`; others of the group count as dead after `dead_after` seconds."""

    group: str
    name: str
    dead_after: float


class Inbox:
    """Hands out what comes for a consumer, one after the other. For one task at a time."""

    def __init__(
        self, server: RedisServer, clock: Clock, names: Names, member: Member, topics: Sequence[Topic]
    ) -> None:
        """`clock`: the wall clock."""
        self._server = server
        self._clock = clock
        self._names = names
        self._member = member
        self._streams = {names.stream(topic): topic for topic in topics}
        self._held: deque[_Held] = deque()
        self._fetched: list[Entry] = []  # a heap
        self._known: dict[str, EntryId] = dict.fromkeys(self._streams, (0, 0))  # up to where each stream was fetched
        self._newest: EntryId = (0, 0)
        self._done: dict[Topic, list[str]] = {}
        self._acknowledging: asyncio.Task[None] | None = None
        self._is_taken_up = False
        self._is_away = False
        self._swept = clock.monotonic()

    async def take(self) -> Entry:
        """Return the next message, however long that takes.

        Raises:
            RedisRefused: Redis does not let us; among others, the group is not there (`is_unknown_group`).
        """
        pauses = Pauses(self._clock)
        while True:
            try:
                entry = await self._next()
            except RedisUnreachable as e:
                if not self._is_away:
                    _log.warning("no answer from Redis; it is asked again", consumer=self._member.group, error=str(e))
                self._is_away, self._is_taken_up = True, False
                await pauses.pause()
                continue
            if self._is_away:
                _log.warning("Redis answers again", consumer=self._member.group)
                self._is_away = False
            if entry is not None:
                return entry
            pauses.begin_again()

    def done(self, entry: Entry) -> None:
        """Acknowledge a message, soon: several go together where they are quick."""
        self._done.setdefault(entry.topic, []).append(entry.name)
        if self._acknowledging is None:
            self._acknowledging = asyncio.create_task(self._acknowledge(), name=f"acknowledge {self._member.group}")

    async def excuse(self, entry: Entry) -> None:
        """Do not count the newest try of a message."""
        stream = self._names.stream(entry.topic)
        command = ("XCLAIM", stream, self._member.group, self._member.name, 0, entry.name)
        try:
            await self._server.call(*command, "RETRYCOUNT", entry.tries - 1, "JUSTID", parse_justid=True)
        except BusError as e:
            _log.warning("a try counts that should not", consumer=self._member.group, id=entry.name, error=str(e))

    async def bury(self, entry: Entry, reason: str) -> None:
        """Put a message among the dead letters of its topic, and acknowledge it, both or neither.

        Raises:
            BusError: Redis does not answer, or has no room for it; the message stays.
        """
        message = entry.message or b""
        fields: list[bytes | str | int] = ["reason", reason, "group", self._member.group, "id", entry.name]
        fields += ["tries", entry.tries, "bytes", len(message), FIELD, message[:_BYTES_KEPT]]
        keys = (self._names.stream(entry.topic), self._names.dead(entry.topic))
        arguments = [_LETTERS_KEPT, self._member.group, entry.name, *fields]
        await self._server.insist("cannot set a message aside", lambda: self._server.run(BURY, keys, arguments))
        _log.error("message set aside", consumer=self._member.group, topic=entry.topic, id=entry.name, reason=reason)

    async def close(self) -> None:
        """Acknowledge what is done, if that can be done now."""
        try:
            await self._acknowledge_now()
        except BusError as e:
            _log.warning("handled messages will come again", consumer=self._member.group, error=str(e))

    # ------------------------------------------------------------------------------------------------- what comes next

    async def _next(self) -> Entry | None:
        if not self._is_taken_up:
            await self._take_up()
        elif self._clock.monotonic() - self._swept >= self._member.dead_after:
            await self._sweep()
        if self._held:
            entry = await self._claim(self._held[0])
            self._held.popleft()
            return entry
        if not self._can_tell_next():
            await self._fetch()
        return heapq.heappop(self._fetched) if self._can_tell_next() else None

    def _can_tell_next(self) -> bool:
        """Whether what was fetched first also comes first: no stream may hold an older one still."""
        return bool(self._fetched) and all(known >= self._fetched[0].id for known in self._known.values())

    async def _fetch(self) -> None:
        """Fetch what is new, of those streams that are behind the oldest message fetched so far."""
        first = self._fetched[0].id if self._fetched else None
        streams = [stream for stream, known in self._known.items() if first is None or known < first]
        wait = ("BLOCK", _BLOCK_MS) if first is None else ()
        head = ("XREADGROUP", "GROUP", self._member.group, self._member.name, "COUNT", _FETCHED_AT_ONCE)
        answer = await self._server.call(*head, *wait, "STREAMS", *streams, *(">" for _ in streams))
        counts = dict.fromkeys(streams, 0)
        for stream, entries in answer or ():
            name = stream.decode()
            counts[name] = len(entries)
            for entry_id, fields in entries:
                entry = Entry(_parsed(entry_id), self._streams[name], _message(fields), tries=1)
                heapq.heappush(self._fetched, entry)
                self._known[name] = entry.id
                self._newest = max(self._newest, entry.id)
        for name, count in counts.items():
            if count < _FETCHED_AT_ONCE:  # nothing older than the newest is left there: ids grow over all streams
                self._known[name] = self._newest

    # ---------------------------------------------------------------------------------------------- what came before

    async def _take_up(self) -> None:
        """Begin again with what this member holds: it was fetched, and nobody said that it is done."""
        await self._acknowledge_now()
        self._fetched.clear()
        self._held.clear()
        self._known = dict.fromkeys(self._streams, (0, 0))
        self._newest = (0, 0)
        ours = sorted([held for stream in self._streams for held in await self._pending(stream, is_ours=True)])
        # Given out once and not the oldest: it was fetched along with the one before, and never tried.
        untried = [held for held in ours[1:] if held.tries == 1]
        await self._reset_tries(untried)
        again = {held.id for held in untried}
        self._held += (replace(held, tries=0) if held.id in again else held for held in ours)
        await self._sweep()
        self._is_taken_up = True

    async def _reset_tries(self, untried: Sequence[_Held]) -> None:
        names: dict[Topic, list[str]] = {}
        for held in untried:
            names.setdefault(held.topic, []).append(f"{held.id[0]}-{held.id[1]}")
        for topic, ids in names.items():
            claim = ("XCLAIM", self._names.stream(topic), self._member.group, self._member.name, 0)
            await self._server.call(*claim, *ids, "RETRYCOUNT", 0, "JUSTID", parse_justid=True)

    async def _sweep(self) -> None:
        """Claim what members hold that have been silent for long."""
        self._swept = self._clock.monotonic()
        known = {held.id for held in self._held}
        others = [held for stream in self._streams for held in await self._pending(stream, is_ours=False)]
        others = [held for held in others if held.id not in known]
        if others:
            self._held = deque(sorted([*self._held, *others]))

    async def _pending(self, stream: str, *, is_ours: bool) -> list[_Held]:
        member = self._member
        idle = 0 if is_ours else int(member.dead_after * 1000)
        found: list[_Held] = []
        start = "-"
        while True:
            command = ("XPENDING", stream, member.group, "IDLE", idle, start, "+", _PAGE)
            page: list[dict[str, Any]] = await self._server.call(*command, parse_detail=True)
            for pending in page:
                if (pending["consumer"].decode() == member.name) == is_ours:
                    topic, tries = self._streams[stream], int(pending["times_delivered"])
                    found.append(_Held(_parsed(pending["message_id"]), topic, tries, is_ours))
            if len(page) < _PAGE:
                return found
            start = "(" + page[-1]["message_id"].decode()

    async def _claim(self, held: _Held) -> Entry | None:
        stream, name = self._names.stream(held.topic), f"{held.id[0]}-{held.id[1]}"
        idle = 0 if held.is_ours else int(self._member.dead_after * 1000)
        command = ("XCLAIM", stream, self._member.group, self._member.name, idle, name, "RETRYCOUNT", held.tries + 1)
        answer = await self._server.call(*command)
        if answer and answer[0][0] is not None:
            return Entry(held.id, held.topic, _message(answer[0][1]), held.tries + 1)
        if held.is_ours:  # the stream holds it no more: somebody deleted it
            _log.error("a message is gone before it was handled", consumer=self._member.group, stream=stream, id=name)
            await self._server.call("XACK", stream, self._member.group, name)
        return None  # or it has found somebody else

    # --------------------------------------------------------------------------------------------------- what is done

    async def _acknowledge(self) -> None:
        try:
            await self._acknowledge_all()
        except BusError as e:  # they are kept, and acknowledged before anything else is fetched
            self._is_taken_up = False
            _log.warning("cannot acknowledge; tried again", consumer=self._member.group, error=str(e))
        finally:
            self._acknowledging = None

    async def _acknowledge_now(self) -> None:
        if self._acknowledging is not None:
            await asyncio.gather(self._acknowledging, return_exceptions=True)
        await self._acknowledge_all()

    async def _acknowledge_all(self) -> None:
        while self._done:
            topic, names = self._done.popitem()
            try:
                await self._server.call("XACK", self._names.stream(topic), self._member.group, *names)
            except BaseException:
                self._done.setdefault(topic, []).extend(names)
                raise


def is_unknown_group(error: RedisRefused) -> bool:
    """Whether that says that there is no such group, or none any more."""
    return any(word in str(error) for word in ("NOGROUP", "UNBLOCKED"))


def _parsed(entry_id: bytes) -> EntryId:
    ms, _, rest = entry_id.partition(b"-")
    return int(ms), int(rest)


def _message(fields: dict[bytes, bytes] | None) -> bytes | None:
    return (fields or {}).get(_FIELD)
