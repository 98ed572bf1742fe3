"""Takes the snapshot: SCAN for the names, pipelines for the rest; nothing is changed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Final, TypeVar

from vela.adapters.audit.snapshot import (
    ABSENT,
    ConsumerState,
    GroupState,
    KeyState,
    Snapshot,
    StreamState,
    is_ours,
)
from vela.adapters.bus.redis.names import Names
from vela.adapters.redis.server import RedisServer
from vela.domain.events import Topic

_AT_ONCE: Final = 1_000

T = TypeVar("T")


async def take_snapshot(server: RedisServer) -> Snapshot:
    """Read all that is Vela's.

    Keys come and go meanwhile: it is as near to one moment as reading without stopping anybody comes.

    Raises:
        BusError: Redis does not answer, or refuses.
    """
    names = Names(tagged=server.is_cluster)
    ours, foreign = await _names(server, names)
    keys = [key async for key in _keys(server, ours)]
    streams = {names.stream(topic) for topic in Topic}
    letters = {names.dead(topic) for topic in Topic}
    there = [key.name for key in keys if key.type == "stream"]
    lengths = await server.ask_all([("XLEN", name) for name in there])
    seconds, micros = await server.call("TIME", **server.anywhere)
    return Snapshot(
        time=int(seconds) * 1000 + int(micros) // 1000,
        keys=tuple(keys),
        streams=tuple([await _stream(server, name) for name in there if name in streams]),
        letters={name: length or 0 for name, length in zip(there, lengths, strict=True) if name in letters},
        foreign=foreign,
        tagged=names.prefix != "vela",
    )


async def _names(server: RedisServer, names: Names) -> tuple[list[str], int]:
    ours: set[str] = set()
    foreign: set[bytes] = set()  # SCAN may tell a name twice
    async for raw in server.keys():
        # Names that are no UTF-8 are nobody's but another program's.
        name = raw.decode(errors="replace")
        if is_ours(name, names) and "\ufffd" not in name:
            ours.add(name)
        else:
            foreign.add(raw)
    return sorted(ours), len(foreign)


async def _keys(server: RedisServer, names: Sequence[str]) -> AsyncIterator[KeyState]:
    for part in _parts(names):
        types = await server.ask_all([("TYPE", name) for name in part])
        values = await server.ask_all([("GET", name) for name in part])
        for name, kind, value in zip(part, types, values, strict=True):
            shown = _text(kind) if kind is not None else ABSENT
            if shown != ABSENT:  # else it went meanwhile
                yield KeyState(name, shown, value)


async def _stream(server: RedisServer, name: str) -> StreamState:
    length, groups, info = await server.ask_all([("XLEN", name), ("XINFO GROUPS", name), ("XINFO STREAM", name)])
    found = [await _group(server, name, _named(group), _named(info)) for group in groups or ()]
    return StreamState(name, length or 0, tuple(found))


async def _group(server: RedisServer, stream: str, group: dict[str, Any], info: dict[str, Any]) -> GroupState:
    name = _text(group["name"])
    last = _text(group["last-delivered-id"])
    pending, unread, consumers = await server.ask_all(
        [("XPENDING", stream, name), ("XRANGE", stream, f"({last}", "+", "COUNT", 1), ("XINFO CONSUMERS", stream, name)]
    )
    waiting = [_text(pending["min"])] if pending and pending["pending"] else []
    waiting += [_text(entry) for entry, _ in unread or ()]
    if _parsed(last) >= _parsed(_text(info["last-generated-id"])):
        lag: int | None = 0
    else:
        lag = group.get("lag") if waiting else 0
    return GroupState(
        name,
        int(group["pending"]),
        lag,
        min((_parsed(entry)[0] for entry in waiting), default=None),
        tuple(
            ConsumerState(_text(one["name"]), int(one["pending"]), int(one["idle"]))
            for one in map(_named, consumers or ())
        ),
    )


def _parts(names: Iterable[T]) -> Iterator[list[T]]:
    rest = iter(names)
    while part := list(islice(rest, _AT_ONCE)):
        yield part


def _named(fields: dict[Any, Any]) -> dict[str, Any]:
    return {_text(name): value for name, value in fields.items()}


def _text(value: bytes | str) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else value


def _parsed(entry_id: str) -> tuple[int, int]:
    ms, _, rest = entry_id.partition("-")
    return int(ms), int(rest or 0)
