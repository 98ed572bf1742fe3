"""What an audit looks at: one moment of Redis, as plain values."""

from __future__ import annotations

from typing import Final

import msgspec

from vela.adapters.bus.redis.names import Names
from vela.adapters.latest_values.redis import ACTIVE
from vela.domain.trading_symbol import TradingSymbol
from vela.ports.latest_values import PRICES, REGIMES, STRATEGIES

KINDS: Final = {kind.prefix: kind for kind in (PRICES, REGIMES, STRATEGIES)}
ABSENT: Final = "none"


class KeyState(msgspec.Struct, frozen=True):
    """A key. `type`: as Redis calls it; `value`: of a string, else None."""

    name: str
    type: str
    value: bytes | None = None


class ConsumerState(msgspec.Struct, frozen=True):
    """A member of a group. `pending`: given to it and not acknowledged; `idle_ms`: since it last asked for anything."""

    name: str
    pending: int
    idle_ms: int


class GroupState(msgspec.Struct, frozen=True):
    """A group of a stream.

    Attributes:
        pending: messages given out and not acknowledged.
        unread: messages never given out; None: Redis cannot tell (before 7.0, or after deletions).
        oldest_ms: when the oldest message was published that the group has not handled, ms UTC; None: there is none.
    """

    name: str
    pending: int
    unread: int | None
    oldest_ms: int | None
    consumers: tuple[ConsumerState, ...] = ()

    @property
    def idle_ms(self) -> int | None:
        """How long all its members have been silent; None: it has no member."""
        return min((consumer.idle_ms for consumer in self.consumers), default=None)

    @property
    def waiting(self) -> str:
        """What it has not handled, in words."""
        unread = "some" if self.unread is None else f"{self.unread:,}"
        return f"{self.pending:,} pending and {unread} unread"


class StreamState(msgspec.Struct, frozen=True):
    """A stream of the bus. `length`: messages in it."""

    name: str
    length: int
    groups: tuple[GroupState, ...] = ()


class Snapshot(msgspec.Struct, frozen=True):
    """One moment.

    Attributes:
        time: by Redis' own clock, ms UTC.
        keys: all that are Vela's by name, streams included, in the order of their names.
        streams: those of the bus that exist.
        letters: dead letters by the key of their stream.
        foreign: how many keys of other programs there are.
        tagged: whether the bus' keys carry the hash tag of a cluster.
    """

    time: int
    keys: tuple[KeyState, ...] = ()
    streams: tuple[StreamState, ...] = ()
    letters: dict[str, int] = {}
    foreign: int = 0
    tagged: bool = False


def is_ours(key: str, names: Names) -> bool:
    """Say whether a key is Vela's by its name."""
    prefix = key.partition(":")[0]
    return key == ACTIVE or (":" in key and (prefix in KINDS or key.startswith(names.prefix + ":")))


class SymbolsInUse(msgspec.Struct, frozen=True):
    """Which symbols are traded.

    Attributes:
        symbols: all that are known.
        unreadable: entries of the list in Redis that are no symbol.
        misspelt: entries that are one, not written as Vela does.
    """

    symbols: frozenset[TradingSymbol] = frozenset()
    unreadable: tuple[str, ...] = ()
    misspelt: tuple[str, ...] = ()
