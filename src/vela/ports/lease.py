"""Who may trade on a record: one instance at a time."""

from __future__ import annotations

from typing import Protocol


class Lease(Protocol):
    """The right to be the only instance that trades on a record.

    A lock decides who gets it. The token fences: it grows with every holder, and whatever trades checks it in the very
    transaction in which it writes, so that one who was taken for dead, and is not, can write no more.

    Attributes:
        holder: who has it, for people: machine and process.
        token: higher than that of every holder before.
    """

    holder: str
    token: int

    def renew(self) -> None:
        """Make sure that it is still held; take the lock again where only the connection to it was lost.

        Raises:
            StorageLocked: another instance has taken it since.
            StorageUnavailable: that cannot be found out now.
        """
        ...

    def release(self) -> None:
        """Give it back; a second call does nothing."""
        ...
