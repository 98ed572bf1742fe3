"""Leases in SQL: a lock that decides, and a row whose token fences."""

from __future__ import annotations

import hashlib
import os
import socket
import threading
from abc import ABC, abstractmethod
from contextlib import suppress

from sqlalchemy import BigInteger, ColumnElement, Connection, bindparam, cast, extract, func, select, update

from vela.adapters.storage.lock import DirectoryLock
from vela.adapters.storage.sql.database import Database, PreparedQuery, Purpose, insert_into, transaction
from vela.adapters.storage.sql.schema import leases
from vela.domain.errors import StorageError, StorageLocked, StorageUnavailable

RECORD = "record"
BEAT_SECONDS = 5.0
LEASE_MS = 15_000

_TOKEN = select(leases.c.token).where(leases.c.name == bindparam("lease"))
_FENCE = _TOKEN.with_for_update()
_SERVER_TIME = cast(extract("epoch", func.clock_timestamp()) * 1_000, BigInteger)


class SqlLease(ABC):
    """`Lease` whose token is a row of `leases`. The lock comes first, the token once the tables are there."""

    def __init__(self, name: str, directory: DirectoryLock | None) -> None:
        """Begin without a token. `directory`: the lock of the data directory, if any; it is released with the lease."""
        self.name = name
        self._directory = directory
        self.holder = f"{socket.gethostname()} process {os.getpid()}"
        self.token = 0

    def register(self, connection: Connection) -> None:
        """Take the next token.

        Raises:
            StorageError: the database cannot be used.
        """
        statement = insert_into(connection, leases)
        row = {"name": self.name, "holder": self.holder, "token": 1, "expires_at": None}
        next_one = {"holder": self.holder, "token": leases.c.token + 1, "expires_at": None}
        upsert = statement.on_conflict_do_update(index_elements=[leases.c.name], set_=next_one)
        with transaction(connection):
            connection.execute(upsert, row)
            self.token = connection.execute(_TOKEN, {"lease": self.name}).scalar_one()

    def fence(self, connection: Connection) -> Fence:
        """Return what keeps everybody but the holder from committing on a connection."""
        return Fence(self, connection)

    @abstractmethod
    def renew(self) -> None:
        """See `Lease.renew`."""

    @abstractmethod
    def release(self) -> None:
        """See `Lease.release`."""

    def _release_directory(self) -> None:
        if self._directory is not None:
            self._directory.release()


class Fence:
    """Lets nobody commit who has lost a lease."""

    def __init__(self, lease: SqlLease, connection: Connection) -> None:
        """Prepare to look at the token on `connection`."""
        self._lease = lease
        self._newest = PreparedQuery(connection, _FENCE)

    def require(self) -> None:
        """Inside a transaction: make sure that its commit is that of the holder. Who would take over waits for its end.

        Raises:
            StorageLocked: another instance has taken the lease.
        """
        row = self._newest.first(lease=self._lease.name)
        newest = None if row is None else row["token"]
        if newest != self._lease.token:
            raise StorageLocked(
                f"another running Vela has taken over this record (lease {newest}, ours was {self._lease.token}); "
                "accepted: one instance per record"
            )


class FileLease(SqlLease):
    """Of a record in a file, whose directory is locked by the kernel for as long as this process lives."""

    def __init__(self, database: Database, directory: DirectoryLock, name: str = RECORD) -> None:
        """See `SqlLease`; `database`: in that directory."""
        super().__init__(name, directory)
        self._database = database

    def renew(self) -> None:
        """See `Lease.renew`. The kernel does not lose locks."""
        with self._database.connect(Purpose.READING) as connection, transaction(connection):
            self.fence(connection).require()

    def release(self) -> None:
        """See `Lease.release`."""
        self._release_directory()


class ServerLease(SqlLease):
    """Of a record on PostgreSQL: an advisory lock, held by a connection of its own.

    The lock goes with the connection. A thread looks after both and takes the lock again when the server has come back;
    as long as nobody else has, the token stays and trading goes on. The row says until when the holder is to be
    believed alive.
    """

    def __init__(
        self,
        database: Database,
        directory: DirectoryLock | None,
        name: str = RECORD,
        beat_seconds: float = BEAT_SECONDS,
    ) -> None:
        """Take the lock.

        Args:
            database: where the record lies.
            directory: see `SqlLease`; not released if this fails.
            name: what is leased in it.
            beat_seconds: how often the thread looks after it, once there is a token.

        Raises:
            StorageLocked: another instance has it.
            StorageUnavailable: the server cannot be reached.
        """
        super().__init__(name, directory)
        self._key = int.from_bytes(hashlib.sha256(f"vela {name}".encode()).digest()[:8], "big", signed=True)
        self._one_at_a_time = threading.Lock()
        self._stopped = threading.Event()
        self._beats = threading.Thread(target=self._beat, args=(beat_seconds,), name="lease", daemon=True)
        self._connection = database.connect(Purpose.TRADING)
        try:
            other = None if self._take_lock() else self._other()
        except BaseException:
            self._connection.close()
            raise
        if other is not None:
            self._connection.close()
            raise StorageLocked(
                f"{database.name} is in use by another running Vela ({other}); stop it or use another database"
            )

    def register(self, connection: Connection) -> None:
        """See `SqlLease.register`; from now on the lease is looked after."""
        super().register(connection)
        self.renew()
        self._beats.start()

    def renew(self) -> None:
        """See `Lease.renew`."""
        with self._one_at_a_time:
            # Refused, it is most likely the end of our old connection that the server has not noticed yet.
            self._take_lock()
            self._believe_alive_until(_SERVER_TIME + LEASE_MS)

    def release(self) -> None:
        """See `Lease.release`."""
        self._stopped.set()
        if self._beats.is_alive():
            self._beats.join()
        if not self._connection.closed:
            with suppress(StorageError):
                self._believe_alive_until(None)
            with suppress(StorageError):
                self._give_lock_back()
            self._connection.close()
        self._release_directory()

    def _take_lock(self) -> bool:
        # Taken twice by one connection it is still one lock: what ends it is the connection's end.
        with transaction(self._connection):
            return bool(self._connection.execute(select(func.pg_try_advisory_lock(self._key))).scalar_one())

    def _give_lock_back(self) -> None:
        # The server notices the end of a connection a little later, and whoever comes next may be quicker.
        with transaction(self._connection):
            self._connection.execute(select(func.pg_advisory_unlock_all()))

    def _believe_alive_until(self, time: ColumnElement[int] | None) -> None:
        with transaction(self._connection):
            self.fence(self._connection).require()
            self._connection.execute(update(leases).where(leases.c.name == self.name).values(expires_at=time))

    def _other(self) -> str:
        try:
            with transaction(self._connection):
                holder = select(leases.c.holder).where(leases.c.name == self.name)
                return self._connection.execute(holder).scalar_one_or_none() or "unknown"
        except StorageError:
            return "unknown"

    def _beat(self, seconds: float) -> None:
        while not self._stopped.wait(seconds):
            try:
                self.renew()
            except StorageUnavailable:
                continue
            except StorageError:
                return  # the next transaction says so to whoever trades
