"""The older system's file, opened so that nothing about it can change."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import quote

from vela.adapters.storage.older.values import Raw
from vela.domain.errors import ConfigurationError, StorageError

_NUMBERS: Final = ("rowid", "_rowid_", "oid")
_NO_NUMBER: Final = "NULL"


class OlderFile:
    """An open file. Use `opened`."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        """Read over `connection`."""
        self._connection = connection
        self._path = path

    def tables(self) -> dict[str, int]:
        """Return how many rows each table has."""
        names = self._connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY name"
        )
        return {
            str(name): int(self._connection.execute(f"SELECT COUNT(*) FROM {_quoted(name)}").fetchone()[0])  # noqa: S608
            for (name,) in names.fetchall()
        }

    def columns(self, table: str) -> list[str]:
        """Return the columns of a table."""
        return [str(row[1]) for row in self._connection.execute(f"PRAGMA table_info({_quoted(table)})")]

    def has_numbers(self, table: str) -> bool:
        """Say whether every row of a table has a number that stays its own."""
        number = self._number(self.columns(table))
        try:
            self._connection.execute(f"SELECT {number} FROM {_quoted(table)} LIMIT 0")  # noqa: S608  quoted
        except sqlite3.OperationalError:
            return False
        return number != _NO_NUMBER

    def rows(self, table: str, columns: Sequence[str]) -> Iterator[tuple[int, tuple[Raw, ...]]]:
        """Return number and values of every row, by number.

        Raises:
            StorageError: the file is damaged.
        """
        number = self._number(columns)
        shown = ", ".join(map(_quoted, columns))
        try:
            query = f"SELECT {number}, {shown} FROM {_quoted(table)} ORDER BY 1"  # noqa: S608  quoted
            for found, *values in self._connection.execute(query):
                yield int(found), tuple(values)
        except sqlite3.Error as error:
            raise StorageError(f"{self._path}: the rows of {table} cannot be read: {error}") from error

    @staticmethod
    def _number(columns: Sequence[str]) -> str:
        hidden = {column.lower() for column in columns}
        return next((name for name in _NUMBERS if name not in hidden), _NO_NUMBER)


@contextmanager
def opened(path: Path) -> Iterator[OlderFile]:
    """Open the file for reading only, in one transaction: all of it is of one moment.

    Raises:
        ConfigurationError: there is no such file, or it is no SQLite database.
        StorageError: it cannot be read.
    """
    if not path.is_file():
        raise ConfigurationError(f"{path} is no file; accepted: the older system's SQLite file")
    log = path.with_name(path.name + "-wal")
    # Where no log is beside it, nobody writes, and SQLite needs to make no files of its own to read it.
    options = "mode=ro" if log.exists() and log.stat().st_size else "mode=ro&immutable=1"
    try:
        connection = sqlite3.connect(f"file:{quote(str(path.resolve()))}?{options}", uri=True, isolation_level=None)
        connection.text_factory = lambda text: text.decode(errors="surrogateescape")
        try:
            connection.execute("BEGIN")
            connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
            yield OlderFile(connection, path)
        finally:
            connection.close()
    except sqlite3.DatabaseError as error:
        raise ConfigurationError(f"{path} cannot be read: {error}; accepted: the older system's SQLite file") from error


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
