"""What an audit can find, and what may be done about it."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Problem(StrEnum):
    """Kinds of findings."""

    UNKNOWN_KEY = "unknown_key"
    UNKNOWN_SYMBOL = "unknown_symbol"
    UNUSED_SYMBOL = "unused_symbol"
    MISSPELT = "misspelt"
    WRONG_TYPE = "wrong_type"
    UNREADABLE = "unreadable"
    STALE = "stale"
    FROM_THE_FUTURE = "from_the_future"
    NO_SYMBOLS = "no_symbols"
    BEHIND = "behind"
    NOBODY_READS = "nobody_reads"
    DEAD_CONSUMER = "dead_consumer"
    NEARLY_FULL = "nearly_full"
    DEAD_LETTERS = "dead_letters"


class Move(msgspec.Struct, frozen=True, tag="move"):
    """Give a key the name it should have. Nothing happens if that name is taken or the value has changed meanwhile."""

    key: str
    value: bytes
    to: str

    def __str__(self) -> str:
        return f"rename {self.key} to {self.to}"


class Remove(msgspec.Struct, frozen=True, tag="remove"):
    """Take a key away. Nothing happens if its value has changed meanwhile."""

    key: str
    value: bytes

    def __str__(self) -> str:
        return f"remove {self.key}"


Fix = Move | Remove


class Finding(msgspec.Struct, frozen=True):
    """Something that should not be so.

    Attributes:
        problem: its kind.
        key: where in Redis.
        sentence: what is wrong, and what helps where nothing can be fixed.
        fix: what `--fix` does about it; None: nothing is safe.
    """

    problem: Problem
    key: str
    sentence: str
    fix: Fix | None = None
