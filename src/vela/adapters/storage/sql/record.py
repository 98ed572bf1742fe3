"""Opens the record in a data directory."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import Connection, delete, insert, select

from vela.adapters.storage.lock import DirectoryLock
from vela.adapters.storage.sql.configurations import SqlConfigurations
from vela.adapters.storage.sql.database import Database, Purpose, transaction
from vela.adapters.storage.sql.jobs import SqlJobStore
from vela.adapters.storage.sql.journal import SqlJournal
from vela.adapters.storage.sql.kill_switch import SqlKillSwitch
from vela.adapters.storage.sql.leases import FileLease, ServerLease, SqlLease
from vela.adapters.storage.sql.migration import bring_up_to_date
from vela.adapters.storage.sql.outbox import SqlOutbox
from vela.adapters.storage.sql.paper_log import SqlPaperLog
from vela.adapters.storage.sql.reader import SqlRecordReader
from vela.adapters.storage.sql.schema import account_meta
from vela.adapters.storage.sql.trading_record import SqlTradingRecord
from vela.domain.errors import StorageError
from vela.ports.kill_switch import KillSwitch
from vela.ports.lease import Lease
from vela.ports.outbox import Outbox
from vela.ports.record import Journal, RecordReader, TradingRecord

RECORD_FILE = "vela.sqlite"

_IDENTITY = "identity."


class Record:
    """An open record: the three views of it, and what market it is about. Use as a context manager, or `close` it.

    Attributes:
        lease: the right to be the only one who trades on it.
        trading: what the orders service writes.
        journal: what the persistence service writes.
        reader: what the page and the commands read.
        configurations: what the account was traded by.
        kill_switch: what the orders service looks at before every entry.
        paper_log: the log of the paper account's exchange.
        jobs: backtests and their results.
        outbox: messages that were committed and wait to be passed on.
    """

    def __init__(self, database: Database, lease: SqlLease, *, trading: Purpose = Purpose.TRADING) -> None:
        """Bring the schema up to date and open a connection per view.

        Args:
            database: where it lies.
            lease: of it; released by `close`.
            trading: TRADING where a venue outside remembers what was sent; JOURNAL is enough for a paper account, whose
                exchange lies in the same database: a power cut takes both back to the same moment.

        Raises:
            StorageError: the database cannot be used.
        """
        self._open = ExitStack()
        self._open.callback(lease.release)
        try:
            self._own = self._connect(database, trading)
            bring_up_to_date(self._own)
            lease.register(self._own)
            self.lease: Lease = lease
            self.configurations = SqlConfigurations(self._own)
            self.trading: TradingRecord = SqlTradingRecord(self._own, lease)
            self.outbox: Outbox = SqlOutbox(self._own)
            self.journal: Journal = SqlJournal(self._connect(database, Purpose.JOURNAL))
            self.reader: RecordReader = SqlRecordReader(self._connect(database, Purpose.READING))
            self.kill_switch: KillSwitch = SqlKillSwitch(self._connect(database, Purpose.READING))
            self.paper_log = SqlPaperLog(self._connect(database, Purpose.JOURNAL))
            self.jobs = SqlJobStore(self._connect(database, Purpose.JOURNAL))
            self._open.callback(self.jobs.close)
        except BaseException:
            self.close()
            raise

    def identity(self) -> dict[str, str]:
        """Return what `set_identity` wrote; empty for a new record."""
        query = select(account_meta).where(account_meta.c.key.startswith(_IDENTITY, autoescape=True))
        with transaction(self._own):
            rows = self._own.execute(query.order_by(account_meta.c.key)).all()
        return {row.key.removeprefix(_IDENTITY): row.value for row in rows}

    def set_identity(self, identity: Mapping[str, str]) -> None:
        """Write which market and account this record is about, in place of what was there.

        Raises:
            StorageError: nothing was written.
        """
        rows = [{"key": _IDENTITY + name, "value": value} for name, value in sorted(identity.items())]
        with transaction(self._own):
            self._own.execute(delete(account_meta).where(account_meta.c.key.startswith(_IDENTITY, autoescape=True)))
            if rows:
                self._own.execute(insert(account_meta), rows)

    def close(self) -> None:
        """Close the connections and let go of the directory; a second call does nothing."""
        self._open.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _connect(self, database: Database, purpose: Purpose) -> Connection:
        connection = database.connect(purpose)
        self._open.callback(connection.close)
        return connection


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
