"""The way messages travel between services."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from vela.domain.events import Envelope, Message, Topic

Handler = Callable[[Envelope], Awaitable[None]]


class Bus(Protocol):
    """Topics with named consumers; at least once, in order per consumer over all its topics.

    A message counts as handled when the handler returned. If it raises or its service dies, the same consumer name gets
    the message again; after `max_deliveries` tries it goes to the dead letters and the consumer moves on. A try that
    ends with `StorageUnavailable` does not count: what the handler needs is away, whatever the message is.
    """

    async def publish(self, message: Message) -> None:
        """Send `message` to every consumer of its topic; waits while one of them is full.

        Raises:
            BusError: the message cannot be encoded or its type has no topic.
        """
        ...

    def subscribe(self, consumer: str, *topics: Topic) -> None:
        """Let `consumer` collect those topics from now on; a name that exists keeps what it has not handled yet."""
        ...

    def unsubscribe(self, consumer: str) -> None:
        """Forget `consumer` and what waits for it; a service that was given up must not hold up the others."""
        ...

    async def consume(self, consumer: str, handler: Handler) -> None:
        """Hand messages to `handler`, one at a time, until cancelled. Its errors propagate; the message stays."""
        ...

    async def settled(self) -> None:
        """Return when every message published so far, and all that followed from them, has been handled."""
        ...

    async def consumers(self, topic: Topic) -> frozenset[str]:
        """Return who collects what is published to `topic`, in whichever process."""
        ...

    async def handled(self, consumer: str, topic: Topic, *, most: int) -> Sequence[Envelope]:
        """Return the newest messages that `consumer` has handled, oldest first, as far as they are still there.

        Who starts in a process of its own learns from them where the market stood; a bus inside one process, whose
        consumers start with the market, keeps none.
        """
        ...

    def dead_letters(self) -> tuple[Envelope, ...]:
        """Return the newest messages that could not be handled."""
        ...
