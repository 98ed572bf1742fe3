"""What SQLite and PostgreSQL do each in its own way. All else in this folder is the same on both."""

from __future__ import annotations

import re
import select
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from enum import Enum, auto
from functools import partial
from itertools import chain, islice
from typing import Any

from sqlalchemy import URL, Connection, Engine, NullPool, Table, create_engine, event, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError

from vela.domain.errors import ConfigurationError, StorageError, StorageUnavailable, VelaError

BUSY_TIMEOUT_MS = 10_000
_MOST_VARIABLES = 999  # of a statement: what the oldest SQLite allows

InsertMany = Callable[[Any, Iterator[Sequence[Any]]], None]


class Purpose(Enum):
    """What a connection is for; on SQLite, how durable its commits are.

    TRADING waits for the disk at every commit: an order must be on record before it is sent. JOURNAL does not: a power
    cut may cost the last decisions, which are computed again, never an order (the kill of a process costs nothing in
    either case). On PostgreSQL both wait: its server may fall and rise while we live on, and must not know less than we
    do. READING cannot write.
    """

    TRADING = auto()
    JOURNAL = auto()
    READING = auto()


class Dialect(ABC):
    """One kind of database."""

    @abstractmethod
    def engine(self, url: URL, purpose: Purpose) -> Engine:
        """Return what makes connections for `purpose`, each set up anew whenever it is opened."""

    @abstractmethod
    def insert(self, table: Table) -> postgresql.Insert | sqlite.Insert:
        """Return an INSERT with `on_conflict_do_update` and `on_conflict_do_nothing`."""

    @abstractmethod
    def insert_many(self, connection: Connection, table: Any, columns: Sequence[str]) -> InsertMany:  # noqa: ANN401  a table
        """Return the quickest way to write many rows, of values that are bound already, into these columns."""

    @abstractmethod
    def cannot_open(self, url: URL, error: BaseException) -> VelaError:
        """Return the error for a connection that could not be opened."""

    def is_cut(self, driver: Any) -> bool:  # noqa: ANN401, ARG002  the driver's connection
        """Say whether a connection at rest was ended from the other side."""
        return False

    def take_turns(self, connection: Connection, what: str) -> None:  # noqa: B027  optional to override
        """Wait until no other transaction is at `what`, and let others wait until this one has ended."""

    def take_time(self, connection: Connection) -> None:  # noqa: B027  optional to override
        """Let this transaction take as long as it needs: nobody trades meanwhile."""


class _Sqlite(Dialect):
    def engine(self, url: URL, purpose: Purpose) -> Engine:
        # Transactions are begun below, not by the driver, which would begin them too late and never for a SELECT.
        engine = create_engine(url, poolclass=NullPool, connect_args={"isolation_level": None})
        event.listen(engine, "connect", partial(_set_up, _PRAGMAS[purpose]))
        # IMMEDIATE: a writer waits for its turn here, and cannot fail for being late half-way through.
        begin = "BEGIN" if purpose is Purpose.READING else "BEGIN IMMEDIATE"
        event.listen(engine, "begin", partial(_begin, begin))
        return engine

    def insert(self, table: Table) -> sqlite.Insert:
        return sqlite.insert(table)

    def insert_many(self, connection: Connection, table: Any, columns: Sequence[str]) -> InsertMany:  # noqa: ANN401  a table
        into, width = _into(connection, table, columns), len(columns)
        row, at_once = f"({', '.join('?' * width)})", max(1, _MOST_VARIABLES // width)

        def statement(count: int) -> str:
            return f"INSERT INTO {into} VALUES {', '.join([row] * count)}"  # noqa: S608  our own words

        most = statement(at_once)

        def write(cursor: Any, rows: Iterator[Sequence[Any]]) -> None:  # noqa: ANN401  the driver's cursor
            # What a statement costs besides is most of what a row costs.
            values = chain.from_iterable(rows)
            while part := tuple(islice(values, at_once * width)):
                count = len(part) // width
                cursor.execute(most if count == at_once else statement(count), part)

        return write

    def cannot_open(self, url: URL, error: BaseException) -> VelaError:
        return StorageError(f"{url.database} cannot be opened: {error}")


_PRAGMAS = {
    Purpose.TRADING: "PRAGMA synchronous = FULL",
    Purpose.JOURNAL: "PRAGMA synchronous = NORMAL",
    Purpose.READING: "PRAGMA query_only = ON",
}


def _set_up(pragma: str, connection: Any, _record: object) -> None:  # noqa: ANN401  the driver's connection
    try:
        connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute(pragma)
    except BaseException:
        connection.close()
        raise


def _begin(statement: str, connection: Connection) -> None:
    # Past SQLAlchemy's own way, which takes longer than all the rest of a small transaction.
    driver: Any = connection.connection.dbapi_connection
    try:
        driver.execute(statement)
    except sqlite3.Error as error:
        raise DBAPIError.instance(statement, None, error, sqlite3.Error, dialect=connection.dialect) from error


class _PostgreSql(Dialect):
    def engine(self, url: URL, purpose: Purpose) -> Engine:
        # No pool: a connection is held for life, and one that was cut is replaced, not laid back.
        return create_engine(url, poolclass=NullPool, connect_args=_connect_arguments(url, purpose))

    def insert(self, table: Table) -> postgresql.Insert:
        return postgresql.insert(table)

    def cannot_open(self, url: URL, error: BaseException) -> VelaError:
        why = " ".join(str(error).split()).removeprefix("connection failed: ")
        if _OUR_MISTAKE.search(why):
            accepted = "accepted: user, password and name of a database that exists"
            return ConfigurationError(f"database {described(url)} does not let us in: {why}; {accepted}")
        return StorageUnavailable(f"database {described(url)} cannot be reached: {why}")

    def insert_many(self, connection: Connection, table: Any, columns: Sequence[str]) -> InsertMany:  # noqa: ANN401  a table
        statement = f"COPY {_into(connection, table, columns)} FROM STDIN"

        def write(cursor: Any, rows: Iterator[Sequence[Any]]) -> None:  # noqa: ANN401  the driver's cursor
            with cursor.copy(statement) as copy:
                for row in rows:
                    copy.write_row(row)

        return write

    def is_cut(self, driver: Any) -> bool:  # noqa: ANN401  the driver's connection
        if driver.closed:
            return True
        # A server that has nothing to answer speaks only to say good-bye.
        poll = select.poll()
        poll.register(driver.fileno(), select.POLLIN)
        return bool(poll.poll(0))

    def take_turns(self, connection: Connection, what: str) -> None:
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext(:what))"), {"what": f"vela {what}"})

    def take_time(self, connection: Connection) -> None:
        for name in ("statement_timeout", "idle_in_transaction_session_timeout"):
            connection.execute(text(f"SET LOCAL {name} = 0"))


# There is no code for what goes wrong before a connection is made, only a sentence.
_OUR_MISTAKE = re.compile(
    r'(role|database) ".*" does not exist|authentication failed|no password supplied|no pg_hba\.conf entry'
    r"|permission denied for database|invalid (connection|port)|root certificate"
)

# Nothing may wait for ever: trading waits with it.
_SESSION = {
    "timezone": "UTC",
    "synchronous_commit": "on",
    "lock_timeout": f"{BUSY_TIMEOUT_MS}",
    "statement_timeout": "30000",
    "idle_in_transaction_session_timeout": "60000",
}
_READING_SESSION = {"default_transaction_read_only": "on", "default_transaction_isolation": r"repeatable\ read"}
_CONNECTION = {
    "application_name": "vela",
    "client_encoding": "utf8",  # a server set up without a locale would hand out bytes
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}


def _connect_arguments(url: URL, purpose: Purpose) -> dict[str, object]:
    is_reading = purpose is Purpose.READING
    session = _SESSION | _READING_SESSION if is_reading else _SESSION
    own = url.query.get("options", "")
    options = " ".join(
        [*(f"-c {name}={value}" for name, value in session.items()), own if isinstance(own, str) else ""]
    )
    arguments = _CONNECTION | {"target_session_attrs": "any" if is_reading else "read-write"}
    given = {name: value for name, value in arguments.items() if name not in url.query}
    return given | {"options": options.strip()}


def _into(connection: Connection, table: Any, columns: Sequence[str]) -> str:  # noqa: ANN401  a table
    quote = connection.dialect.identifier_preparer
    return f"{quote.format_table(table)} ({', '.join(map(quote.quote, columns))})"


_DIALECTS: dict[str, Dialect] = {"sqlite": _Sqlite(), "postgresql": _PostgreSql()}


def dialect_of(place: URL | Connection) -> Dialect:
    """Return the dialect of an address or a connection."""
    return _DIALECTS[place.get_backend_name() if isinstance(place, URL) else place.dialect.name]


def described(url: URL) -> str:
    """Return an address for people and logs, without anything secret."""
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    shown = URL.create("postgresql", url.username, None, url.host, url.port, url.database)
    return shown.render_as_string()


def is_temporary(error: BaseException | None) -> bool:
    """Say of a driver's error whether the same may work later."""
    kinds = {kind.__name__ for kind in type(error).__mro__}
    return "OperationalError" in kinds or getattr(error, "sqlstate", None) in _TEMPORARY_STATES


# A server that has become a copy, transactions that were ended for taking too long.
_TEMPORARY_STATES = frozenset({"25006", "25P03", "25P04"})
