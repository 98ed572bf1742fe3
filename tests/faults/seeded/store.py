"""The real record in memory, used for one life after the other, and the kill switch beside it."""

from __future__ import annotations

import atexit
import shutil
import sqlite3
import tempfile
from pathlib import Path
from typing import cast

from sqlalchemy import URL

from vela.adapters.storage.lock import DirectoryLock
from vela.adapters.storage.sql.configurations import SqlConfigurations
from vela.adapters.storage.sql.database import Database, Purpose
from vela.adapters.storage.sql.leases import FileLease
from vela.adapters.storage.sql.migration import bring_up_to_date
from vela.adapters.storage.sql.schema import metadata
from vela.adapters.storage.sql.trading_record import SqlTradingRecord
from vela.ports.kill_switch import NEVER_SET, SwitchState

_KEPT = {"symbols", "leases"}  # what a connection remembers to have written, and who may write


class Store:
    """A database of its own."""

    def __init__(self) -> None:
        database = Database(URL.create("sqlite+pysqlite", database=":memory:"))
        self._connection = database.connect(Purpose.JOURNAL)
        bring_up_to_date(self._connection)
        folder = Path(tempfile.mkdtemp(prefix="vela-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        lease = FileLease(database, DirectoryLock(folder))
        lease.register(self._connection)
        self.trading = SqlTradingRecord(self._connection, lease)
        self.configurations = SqlConfigurations(self._connection)
        self.switch = Switch()

    @property
    def raw(self) -> sqlite3.Connection:
        """The driver's connection."""
        return cast("sqlite3.Connection", self._connection.connection.driver_connection)

    def wipe(self) -> None:
        """Begin anew."""
        for table in reversed(metadata.sorted_tables):
            if table.name not in _KEPT:
                self.raw.execute(f"DELETE FROM {table.name}")  # noqa: S608  names of our own
        self.raw.commit()
        self.switch = Switch()

    def contents(self) -> str:
        """Return all rows of what an account is."""
        names = ("orders", "order_events", "fills", "positions", "trades", "ledger_entries", "balances", "signals")
        return "\n".join(str(sorted(map(str, self.raw.execute(f"SELECT * FROM {name}")))) for name in names)  # noqa: S608  names of our own


class Switch:
    """A `KillSwitch` that is only remembered."""

    def __init__(self) -> None:
        self._state = NEVER_SET

    async def state(self) -> SwitchState:
        return self._state

    async def turn(
        self, *, on: bool, time: int, by: str, reason: str = "", flatten: bool = False, reset_limits: bool = False
    ) -> SwitchState:
        before = self._state
        self._state = SwitchState(
            before.number + 1, time, on, on and flatten, reason, by, before.resets + int(reset_limits)
        )
        return self._state
