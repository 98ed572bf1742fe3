"""The outbox in SQL: rows that are written with what they tell of, and go when they were passed on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, bindparam, delete, insert, select

from vela.adapters.storage.sql.database import Prepared, PreparedQuery, transaction
from vela.adapters.storage.sql.schema import outbox
from vela.domain.codec import decode, encode
from vela.domain.events import AnyMessage, Envelope
from vela.ports.outbox import Outgoing

# How often it was tried to publish a message is not part of it.
_UNSENT = ("", 0)


class SqlOutbox:
    """`Outbox` over a connection made for `Purpose.TRADING`."""

    def __init__(self, connection: Connection) -> None:
        """Prepare the statements; the connection stays the caller's to close."""
        self._connection = connection
        self._insert = Prepared(connection, insert(outbox), ("message",))
        self._oldest = PreparedQuery(connection, select(outbox).order_by(outbox.c.number).limit(bindparam("most")))
        self._forget = Prepared(connection, delete(outbox).where(outbox.c.number <= bindparam("up_to")))

    def append(self, messages: Iterable[AnyMessage]) -> None:
        """Write messages inside the caller's transaction.

        Raises:
            BusError: one of them cannot be encoded.
            StorageError: the database failed.
        """
        self._insert.run([{"message": encode(Envelope(*_UNSENT, message))} for message in messages])

    async def pending(self, *, limit: int) -> Sequence[Outgoing]:
        """See `Outbox.pending`."""
        with transaction(self._connection):
            rows = self._oldest.rows(most=limit)
        return [Outgoing(row["number"], decode(row["message"]).message) for row in rows]

    async def acknowledge(self, up_to: int) -> None:
        """See `Outbox.acknowledge`."""
        with transaction(self._connection):
            self._forget.run([{"up_to": up_to}])
