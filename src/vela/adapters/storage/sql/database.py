"""Connections to the record's database: one engine, one connection per purpose."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Delete, Insert, NullPool, Table, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, StatementError

from vela.domain.errors import StorageError, StorageUnavailable

BUSY_TIMEOUT_MS = 10_000


class Purpose(Enum):
    """What a connection is for; on SQLite, how durable its commits are.

    TRADING waits for the disk at every commit: an order must be on record before it is sent. JOURNAL does not: a power
    cut may cost the last decisions, which are computed again, never an order (the kill of a process costs nothing in
    either case). READING cannot write.
    """

    TRADING = "PRAGMA synchronous = FULL"
    JOURNAL = "PRAGMA synchronous = NORMAL"
    READING = "PRAGMA query_only = ON"


class Database:
    """The record's database. Calls take tens of microseconds and run where they are made, in the event loop too."""

    def __init__(self, url: URL) -> None:
        """Prepare connections to `url`; nothing is opened yet."""
        # Transactions are begun below, not by the driver, which would begin them too late and never for a SELECT.
        driver = {"isolation_level": None} if url.get_backend_name() == "sqlite" else {}
        self._engine = create_engine(url, poolclass=NullPool, connect_args=driver)
        if self._engine.dialect.name == "sqlite":
            event.listen(self._engine, "connect", _set_up)
            event.listen(self._engine, "begin", _begin)

    @classmethod
    def at(cls, path: Path) -> Database:
        """Return the SQLite database in the file `path`."""
        return cls(URL.create("sqlite+pysqlite", database=str(path)))

    def connect(self, purpose: Purpose) -> Connection:
        """Open a connection.

        Raises:
            StorageError: the file cannot be opened or is no database.
        """
        try:
            connection = self._engine.connect().execution_options(purpose=purpose)
            if self._engine.dialect.name == "sqlite":
                connection.connection.cursor().execute(purpose.value)
        except DBAPIError as error:
            raise StorageError(f"{self._engine.url.database} cannot be opened: {error.orig}") from error
        return connection


def _set_up(connection: Any, _record: object) -> None:  # noqa: ANN401  the driver's connection
    try:
        connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA foreign_keys = ON")
    except BaseException:
        connection.close()
        raise


def _begin(connection: Connection) -> None:
    # IMMEDIATE: a writer waits for its turn here, and cannot fail for being late half-way through.
    reading = connection.get_execution_options().get("purpose") is Purpose.READING
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


@contextmanager
def transaction(connection: Connection) -> Iterator[None]:
    """Commit what is written inside, or nothing of it.

    Raises:
        StorageUnavailable: the database cannot be used now; nothing was written.
        StorageError: it refused, or a value fits no column; nothing was written.
    """
    try:
        with connection.begin():
            yield
    except OperationalError as error:
        raise StorageUnavailable(f"the record cannot be used: {error.orig}") from error
    except IntegrityError as error:
        raise StorageError(f"the changes contradict the record: {error.orig}") from error
    except StatementError as error:
        raise StorageError(f"the record cannot be used: {error.orig}") from error


def insert_into(connection: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    """Return the dialect's INSERT with `on_conflict_do_update` and `on_conflict_do_nothing`."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


def upsert_into(connection: Connection, table: Table) -> Insert:
    """Return an INSERT that replaces all other columns of the row with the same primary key."""
    statement = insert_into(connection, table)
    replaced = {column.name: statement.excluded[column.name] for column in table.columns if not column.primary_key}
    return statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=replaced)


class Prepared:
    """A statement compiled once: running it costs little more than the driver does, and orders wait for it."""

    def __init__(self, connection: Connection, statement: Insert | Delete, columns: Iterable[str] = ()) -> None:
        """Compile `statement` for the connection's database; `columns`: those an INSERT without values is given."""
        dialect = connection.dialect
        compiled = statement.compile(dialect=dialect, column_keys=list(columns) or None)
        self._connection = connection
        self._sql = str(compiled)
        self._driver: Any = dialect.loaded_dbapi
        binds = compiled.binds
        self._is_positional = compiled.positional
        names = compiled.positiontup or list(binds)
        self._values = [(name, binds[name].type.dialect_impl(dialect).bind_processor(dialect)) for name in names]
        # Constants written into the statement are values to the driver, too.
        self._constants = {name: binds[name].value for name in names if not binds[name].required}

    def run(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Execute once per row, inside the caller's transaction; nothing for no rows.

        Raises:
            StorageUnavailable: the database cannot be used now.
            StorageError: it refused, or a value fits no column.
        """
        if not rows:
            return
        try:
            bound: Any = [self._bound(row) for row in rows]
            self._connection.connection.cursor().executemany(self._sql, bound)
        except self._driver.OperationalError as error:
            raise StorageUnavailable(f"the record cannot be used: {error}") from error
        except self._driver.IntegrityError as error:
            raise StorageError(f"the changes contradict the record: {error}") from error
        except (self._driver.Error, TypeError, ValueError) as error:
            raise StorageError(f"the record cannot be used: {error}") from error

    def _bound(self, row: Mapping[str, Any]) -> tuple[Any, ...] | dict[str, Any]:
        if self._constants:
            row = self._constants | dict(row)
        values = [row[name] if process is None else process(row[name]) for name, process in self._values]
        return tuple(values) if self._is_positional else dict(zip((n for n, _ in self._values), values, strict=True))
