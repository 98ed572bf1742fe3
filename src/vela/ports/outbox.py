"""Messages that were committed together with what they tell of, on their way to the bus."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from vela.domain.events import AnyMessage


class Outgoing(msgspec.Struct, frozen=True):
    """A message to publish. `number`: grows in the order of commits and never comes twice: good as the message's id."""

    number: int
    message: AnyMessage


class Outbox(Protocol):
    """What a step of trading has to tell, in order, until somebody has passed it on.

    Messages come in with `Changes.messages`, in the transaction of the step. Whoever passes them on reads, publishes,
    then acknowledges; after a crash in between they come again under the same numbers.
    """

    async def pending(self, *, limit: int) -> Sequence[Outgoing]:
        """Return the oldest messages that were not acknowledged, oldest first.

        Raises:
            StorageError: they cannot be read.
        """
        ...

    async def acknowledge(self, up_to: int) -> None:
        """Forget every message up to and with that number.

        Raises:
            StorageError: nothing was forgotten.
        """
        ...
