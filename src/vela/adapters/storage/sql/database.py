"""Connections to the record's database: one engine, one connection per purpose."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from operator import attrgetter, itemgetter
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Delete, Engine, Insert, Select, Table, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, DBAPIError, StatementError

from vela.adapters.storage.sql.dialect import Purpose, described, dialect_of, is_temporary
from vela.domain.errors import ConfigurationError, StorageError, StorageUnavailable

__all__ = ["Database", "Prepared", "PreparedQuery", "Purpose", "insert_into", "transaction", "upsert_into"]

_MANY = 100
_ACCEPTED = "accepted: postgresql://USER:PASSWORD@HOST:5432/NAME"


class Database:
    """The record's database.

    Calls take tens of microseconds, with a server hundreds, and run where they are made, in the event loop too.
    """

    def __init__(self, url: URL) -> None:
        """Prepare connections to `url`; nothing is opened yet."""
        self.url = url
        self._engines: dict[Purpose, Engine] = {}

    @classmethod
    def at(cls, path: Path) -> Database:
        """Return the SQLite database in the file `path`."""
        return cls(URL.create("sqlite+pysqlite", database=str(path)))

    @classmethod
    def from_url(cls, text: str) -> Database:
        """Return the PostgreSQL database at the address `text`.

        Raises:
            ConfigurationError: it is no such address, or what PostgreSQL needs is not installed.
        """
        try:
            url = make_url(text)
        except (ArgumentError, ValueError):
            raise ConfigurationError(f"database is no address; {_ACCEPTED}") from None
        if url.drivername not in {"postgresql", "postgresql+psycopg"} or not url.database:
            raise ConfigurationError(f"database was {url.set(query={}).render_as_string()!r}; {_ACCEPTED}")
        try:
            import psycopg  # noqa: F401, PLC0415  an extra
        except ImportError:
            raise ConfigurationError(
                "database is on PostgreSQL, for which psycopg is missing; "
                "accepted: pip install 'vela-trading[postgres]'"
            ) from None
        return cls(url.set(drivername="postgresql+psycopg"))

    @property
    def name(self) -> str:
        """What it is called in messages; holds no secret."""
        return described(self.url)

    def connect(self, purpose: Purpose) -> Connection:
        """Open a connection.

        Raises:
            ConfigurationError: the server does not know the user, the password or the database.
            StorageUnavailable: the server cannot be reached.
            StorageError: the file cannot be opened or is no database.
        """
        if purpose not in self._engines:
            self._engines[purpose] = dialect_of(self.url).engine(self.url, purpose)
        try:
            return self._engines[purpose].connect()
        except DBAPIError as error:
            raise dialect_of(self.url).cannot_open(self.url, error.orig or error) from error


@contextmanager
def transaction(connection: Connection) -> Iterator[None]:
    """Commit what is written inside, or nothing of it.

    A connection that the server has ended since the last time is replaced before anything is lost on it.

    Raises:
        StorageUnavailable: the database cannot be used now; nothing was written, unless the very commit got no answer.
        StorageError: it refused, or a value fits no column; nothing was written.
    """
    try:
        _replace_if_cut(connection)
        with connection.begin():
            yield
    except StatementError as error:
        raise _storage_error(error.orig) from error


def _replace_if_cut(connection: Connection) -> None:
    if not connection.invalidated and dialect_of(connection).is_cut(connection.connection.dbapi_connection):
        connection.invalidate()


def _storage_error(error: BaseException | None) -> StorageError:
    why = " ".join(str(error).split())
    if is_temporary(error):
        return StorageUnavailable(f"the record cannot be used: {why}")
    if any(kind.__name__ == "IntegrityError" for kind in type(error).__mro__):
        return StorageError(f"the changes contradict the record: {why}")
    return StorageError(f"the record cannot be used: {why}")


def insert_into(connection: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    """Return the dialect's INSERT with `on_conflict_do_update` and `on_conflict_do_nothing`."""
    return dialect_of(connection).insert(table)


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
        columns = list(columns)
        compiled = statement.compile(dialect=dialect, column_keys=columns or None, for_executemany=True)
        self._connection = connection
        self._sql = str(compiled)
        self._driver: Any = dialect.loaded_dbapi
        binds = compiled.binds
        self._is_positional = compiled.positional
        names = self._names = list(compiled.positiontup or binds)
        self._processors = [binds[name].type.dialect_impl(dialect).bind_processor(dialect) for name in names]
        # Constants written into the statement are values to the driver, too.
        self._constants = {name: binds[name].value for name in names if not binds[name].required}
        # The quick ways know values only, no expressions and no conflicts.
        is_plain = type(statement) is Insert and set(names) == set(columns)
        self._insert_many = dialect_of(connection).insert_many(connection, statement.table, names) if is_plain else None

    def run(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Execute once per row, inside the caller's transaction; nothing for no rows.

        Raises:
            StorageUnavailable: the database cannot be used now.
            StorageError: it refused, or a value fits no column.
        """
        if self._constants:
            rows = [self._constants | dict(row) for row in rows]
        self._execute([map(itemgetter(name), rows) for name in self._names], len(rows))

    def run_records(self, records: Sequence[object]) -> None:
        """Execute once per record, whose fields are named like the columns; else as `run`."""
        self._execute([map(attrgetter(name), records) for name in self._names], len(records))

    def _execute(self, columns: Sequence[Iterable[Any]], count: int) -> None:
        if not count:
            return
        # Column by column, which leaves all loops but those of the types to C; and no row lives longer than it must.
        bound: Any = zip(*map(_processed, self._processors, columns), strict=True)
        with _our_errors(self._connection, self._driver):
            cursor = self._connection.connection.cursor()
            if self._insert_many and count >= _MANY:
                self._insert_many(cursor, bound)
                return
            if not self._is_positional:
                bound = (dict(zip(self._names, values, strict=True)) for values in bound)
            if count == 1:
                cursor.execute(self._sql, next(bound))
            else:
                cursor.executemany(self._sql, bound)


class PreparedQuery:
    """A SELECT compiled once; see `Prepared`."""

    def __init__(self, connection: Connection, query: Select[Any]) -> None:
        """Compile `query` for the connection's database; it has no `IN` of a list."""
        dialect = connection.dialect
        compiled = query.compile(dialect=dialect)
        binds = compiled.binds
        self._connection = connection
        self._sql = str(compiled)
        self._driver: Any = dialect.loaded_dbapi
        self._is_positional = compiled.positional
        self._binds = [
            (name, binds[name].type.dialect_impl(dialect).bind_processor(dialect))
            for name in compiled.positiontup or binds
        ]
        self._constants = {name: bind.value for name, bind in binds.items() if not bind.required}
        self._selected = [(column.name, column.type.dialect_impl(dialect)) for column in query.selected_columns]
        self._columns: list[tuple[str, Callable[[Any], Any] | None]] = []

    def rows(self, **given: Any) -> list[dict[str, Any]]:  # noqa: ANN401  a parameter's value
        """Return all rows by their columns' names, inside the caller's transaction; `given`: the parameters.

        Raises:
            StorageUnavailable: the database cannot be used now.
            StorageError: it refused.
        """
        values = self._constants | given
        bound = {name: values[name] if process is None else process(values[name]) for name, process in self._binds}
        with _our_errors(self._connection, self._driver):
            cursor = self._connection.connection.cursor()
            rows = cursor.execute(self._sql, tuple(bound.values()) if self._is_positional else bound).fetchall()
        # What a column's values look like is known with the first answer only.
        columns = self._columns = self._columns or self._described(cursor)
        return [
            {
                name: value if process is None else process(value)
                for (name, process), value in zip(columns, row, strict=True)
            }
            for row in rows
        ]

    def _described(self, cursor: Any) -> list[tuple[str, Callable[[Any], Any] | None]]:  # noqa: ANN401  the driver's
        dialect = self._connection.dialect
        return [
            (name, kind.result_processor(dialect, told[1]))
            for (name, kind), told in zip(self._selected, cursor.description, strict=True)
        ]

    def first(self, **given: Any) -> dict[str, Any] | None:  # noqa: ANN401  a parameter's value
        """Return the first row, or None if there is none; else as `rows`, of which there should not be many."""
        return next(iter(self.rows(**given)), None)


@contextmanager
def _our_errors(connection: Connection, driver: Any) -> Iterator[None]:  # noqa: ANN401  the driver's module
    try:
        yield
    except driver.Error as error:
        # SQLAlchemy, which did not see it, must not use a lost connection again.
        if connection.dialect.is_disconnect(error, connection.connection.dbapi_connection, None):
            connection.invalidate(error)
        raise _storage_error(error) from error
    except (TypeError, ValueError) as error:
        raise _storage_error(error) from error


def _processed(process: Callable[[Any], Any] | None, column: Iterable[Any]) -> Iterable[Any]:
    return column if process is None else map(process, column)
