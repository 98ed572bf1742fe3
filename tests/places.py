"""Where records lie: the same tests run on both kinds of database."""

from __future__ import annotations

import tempfile
from abc import ABC, abstractmethod
from pathlib import Path

from sqlalchemy import text
from tests.postgres import PostgresServer

from vela.adapters.storage.sql.database import Database, Purpose
from vela.adapters.storage.sql.migration import bring_up_to_date
from vela.adapters.storage.sql.record import RECORD_FILE, Record, open_record


class RecordPlace(ABC):
    """A place for a record."""

    kind: str

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir

    @abstractmethod
    def database(self) -> Database:
        """Return the database, as another program would connect to it."""

    @abstractmethod
    def open(self, data_dir: Path | None = None, *, trading: Purpose = Purpose.TRADING) -> Record:
        """Open the record, from another data directory if one is given; the caller closes it."""

    def execute(self, statement: str) -> list[tuple[object, ...]]:
        """Run a statement as somebody else, and return its rows."""
        with self.database().connect(Purpose.TRADING) as connection, connection.begin():
            result = connection.execute(text(statement))
            return [tuple(row) for row in result] if result.returns_rows else []


class SqlitePlace(RecordPlace):
    """A file in a data directory."""

    kind = "sqlite"

    def database(self) -> Database:
        return Database.at(self.data_dir / RECORD_FILE)

    def open(self, data_dir: Path | None = None, *, trading: Purpose = Purpose.TRADING) -> Record:
        return open_record(data_dir or self.data_dir, trading=trading)


class PostgresPlace(RecordPlace):
    """A database on a server."""

    kind = "postgresql"

    def __init__(self, server: PostgresServer, name: str, data_dir: Path | None = None) -> None:
        super().__init__(data_dir or Path(tempfile.gettempdir()))
        self.server, self.name = server, name

    def database(self) -> Database:
        return Database(self.server.url(self.name))

    def open(self, data_dir: Path | None = None, *, trading: Purpose = Purpose.TRADING) -> Record:
        return open_record(data_dir or self.data_dir, database=self.database(), trading=trading)

    def prepare(self) -> None:
        """Make the tables."""
        with self.database().connect(Purpose.TRADING) as connection:
            bring_up_to_date(connection)
