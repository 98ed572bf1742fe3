"""The paper exchange's own log, beside the record in one database.

One database means one write-ahead log: whatever a power cut takes away, it takes from the end of both, so that the
exchange and the record never disagree about what happened before.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, func, insert, select

from vela.adapters.storage.sql.database import Prepared, transaction
from vela.adapters.storage.sql.schema import paper_events


class SqlPaperLog:
    """Entries of text, numbered from 1, appended and never changed."""

    def __init__(self, connection: Connection) -> None:
        """Find the newest entry; the connection stays the caller's to close.

        Raises:
            StorageError: the database cannot be read.
        """
        self._connection = connection
        self._insert = Prepared(connection, insert(paper_events), paper_events.columns.keys())
        with transaction(connection):
            self._newest: int = connection.execute(
                select(func.coalesce(func.max(paper_events.c.number), 0))
            ).scalar_one()

    def entries(self) -> Iterator[tuple[int, str]]:
        """Yield the number and text of every entry, oldest first.

        Raises:
            StorageError: the database cannot be read.
        """
        with transaction(self._connection):
            rows = self._connection.execute(select(paper_events).order_by(paper_events.c.number)).all()
        # A commit whose answer was lost may have been one.
        self._newest = rows[-1].number if rows else 0
        for row in rows:
            yield row.number, row.events

    def append(self, text: str) -> None:
        """Write one entry in a transaction of its own.

        Raises:
            StorageError: nothing was written.
        """
        number = self._newest + 1
        with transaction(self._connection):
            self._insert.run([{"number": number, "events": text}])
        self._newest = number
