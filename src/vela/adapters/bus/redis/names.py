"""What the bus calls its keys in Redis."""

from __future__ import annotations

from vela.domain.events import Topic

FIELD = "envelope"
"""The field of an entry that holds the message."""


class Names:
    """Names of keys.

    In a cluster they carry the hash tag `{vela}`, which keeps the whole bus on one node: order over all topics, and
    reading several at once, can be had on one node only.
    """

    def __init__(self, *, tagged: bool) -> None:
        """`tagged`: for a cluster."""
        self.prefix = "{vela}" if tagged else "vela"
        self.clock = f"{self.prefix}:clock"
        self.lives = f"{self.prefix}:lives"

    def stream(self, topic: Topic) -> str:
        """Return the stream of a topic."""
        return f"{self.prefix}:{topic}"

    def dead(self, topic: Topic) -> str:
        """Return the stream of messages of a topic that could not be handled."""
        return f"{self.prefix}:dead:{topic}"

    def told(self, topic: Topic, source: str) -> str:
        """Return the key that holds how far a publisher has come in a topic."""
        return f"{self.prefix}:told:{topic}:{source}"
