"""Opens the record in a data directory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import Connection, select

from vela.adapters.storage.lock import DirectoryLock
from vela.adapters.storage.sql.configurations import SqlConfigurations
from vela.adapters.storage.sql.database import Database, Purpose, insert_into, transaction
from vela.adapters.storage.sql.jobs import SqlJobStore
from vela.adapters.storage.sql.journal import SqlJournal
from vela.adapters.storage.sql.kill_switch import SqlKillSwitch
from vela.adapters.storage.sql.leases import FileLease, ServerLease, SqlLease
from vela.adapters.storage.sql.migration import bring_up_to_date
from vela.adapters.storage.sql.paper_log import SqlPaperLog
from vela.adapters.storage.sql.reader import SqlRecordReader
from vela.adapters.storage.sql.schema import account_meta
from vela.adapters.storage.sql.trading_record import SqlTradingRecord
from vela.domain.errors import StorageError
from vela.ports.kill_switch import KillSwitch
from vela.ports.lease import Lease
from vela.ports.record import Journal, RecordReader, TradingRecord

RECORD_FILE = "vela.sqlite"

_IDENTITY = "identity."


def _nothing() -> None:
    pass


class SharedRecord:
    """An open record as any number of processes may have it. Use as a context manager, or `close` it.

    Each view has a connection of its own, made when the view is first used.
    """

    def __init__(
        self, database: Database, *, own: Purpose = Purpose.JOURNAL, at_end: Callable[[], None] = _nothing
    ) -> None:
        """Bring the schema up to date.

        Args:
            database: where it lies.
            own: what the record's own connection is for.
            at_end: called once it is closed, also if it cannot be opened.

        Raises:
            StorageError: the database cannot be used.
        """
        self._database = database
        self._open = ExitStack()
        self._open.callback(at_end)
        try:
            self._own = self._connect(own)
            bring_up_to_date(self._own)
        except BaseException:
            self.close()
            raise

    @cached_property
    def configurations(self) -> SqlConfigurations:
        """What the account was traded by."""
        return SqlConfigurations(self._own)

    @cached_property
    def journal(self) -> Journal:
        """What the persistence service writes."""
        return SqlJournal(self._connect(Purpose.JOURNAL))

    @cached_property
    def reader(self) -> RecordReader:
        """What the page and the commands read."""
        return SqlRecordReader(self._connect(Purpose.READING))

    @cached_property
    def kill_switch(self) -> KillSwitch:
        """What the orders service looks at before every entry."""
        return SqlKillSwitch(self._connect(Purpose.READING))

    @cached_property
    def jobs(self) -> SqlJobStore:
        """Backtests and their results."""
        store = SqlJobStore(self._connect(Purpose.JOURNAL))
        self._open.callback(store.close)
        return store

    def identity(self) -> dict[str, str]:
        """Return what was claimed; empty for a new record."""
        query = select(account_meta).where(account_meta.c.key.startswith(_IDENTITY, autoescape=True))
        with transaction(self._own):
            rows = self._own.execute(query.order_by(account_meta.c.key)).all()
        return {row.key.removeprefix(_IDENTITY): row.value for row in rows}

    def claim(self, identity: Mapping[str, str]) -> dict[str, str]:
        """Write which market and account this record is about, where that is not known yet; return what holds.

        Raises:
            StorageError: nothing was written.
        """
        rows = [{"key": _IDENTITY + name, "value": value} for name, value in sorted(identity.items())]
        if rows:
            with transaction(self._own):
                # Several processes may do so at the same time.
                self._own.execute(insert_into(self._own, account_meta).on_conflict_do_nothing(), rows)
        return self.identity()

    def close(self) -> None:
        """Close the connections; a second call does nothing."""
        self._open.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _connect(self, purpose: Purpose) -> Connection:
        connection = self._database.connect(purpose)
        self._open.callback(connection.close)
        return connection


class Record(SharedRecord):
    """A record in the hands of the one who trades on it.

    Attributes:
        lease: the right to be the only one.
        trading: what the orders service writes.
    """

    def __init__(self, database: Database, lease: SqlLease, *, trading: Purpose = Purpose.TRADING) -> None:
        """Bring the schema up to date and take the lease's next token.

        Args:
            database: where it lies.
            lease: of it; released by `close`.
            trading: TRADING where a venue outside remembers what was sent; JOURNAL is enough for a paper account, whose
                exchange lies in the same database: a power cut takes both back to the same moment.

        Raises:
            StorageError: the database cannot be used.
        """
        super().__init__(database, own=trading, at_end=lease.release)
        try:
            lease.register(self._own)
            self.lease: Lease = lease
            self.trading: TradingRecord = SqlTradingRecord(self._own, lease, self._connect(Purpose.JOURNAL))
        except BaseException:
            self.close()
            raise

    @cached_property
    def paper_log(self) -> SqlPaperLog:
        """The log of the paper account's exchange."""
        return SqlPaperLog(self._connect(Purpose.JOURNAL))


def open_record(data_dir: Path, *, database: Database | None = None, trading: Purpose = Purpose.TRADING) -> Record:
    """Open the record in `data_dir`, and make both if need be; no other instance can open it until it is closed.

    Args:
        data_dir: the directory. It is locked even if the record lies elsewhere: candles and logins are kept in it.
        database: where the record lies instead, on a server.
        trading: see `Record`.

    Raises:
        StorageLocked: another running instance holds the directory or the record.
        ConfigurationError: the server does not know the user, the password or the database.
        StorageUnavailable: the server cannot be reached.
        StorageError: the directory cannot be written, or what is there is no record of this program.
    """
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"{data_dir} cannot be made: {error.strerror}; accepted: a writable directory") from error
    lock = DirectoryLock(data_dir)
    if database is None:
        file = Database.at(data_dir / RECORD_FILE)
        return Record(file, FileLease(file, lock), trading=trading)
    try:
        lease = ServerLease(database, lock)
    except BaseException:
        lock.release()
        raise
    return Record(database, lease, trading=trading)
