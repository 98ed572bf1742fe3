"""The kill switch in SQL: a row for every setting, appended and never changed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, insert, select

from vela.adapters.storage.sql.database import Database, PreparedQuery, Purpose, transaction
from vela.adapters.storage.sql.dialect import dialect_of
from vela.adapters.storage.sql.migration import require_current
from vela.adapters.storage.sql.rows import fields
from vela.adapters.storage.sql.schema import kill_switch
from vela.ports.kill_switch import NEVER_SET, SwitchState

_NEWEST = select(kill_switch).order_by(kill_switch.c.number.desc()).limit(1)


class SqlKillSwitch:
    """`KillSwitch` over a connection made for `Purpose.TRADING`, or for `Purpose.READING` to look only."""

    def __init__(self, connection: Connection) -> None:
        """Use `connection`, which stays the caller's to close."""
        self._connection = connection
        self._newest = PreparedQuery(connection, _NEWEST)

    async def state(self) -> SwitchState:
        """See `KillSwitch.state`."""
        with transaction(self._connection):
            return self._state()

    async def turn(
        self, *, on: bool, time: int, by: str, reason: str = "", flatten: bool = False, reset_limits: bool = False
    ) -> SwitchState:
        """See `KillSwitch.turn`."""
        with transaction(self._connection):
            dialect_of(self._connection).take_turns(self._connection, "kill switch")
            last = self._state()
            # Counted on from row to row: whoever reads only the newest has missed none.
            resets = last.resets + reset_limits
            state = SwitchState(last.number + 1, time, on, on and flatten, reason, by, resets)
            self._connection.execute(insert(kill_switch), fields(state))
        return state

    def _state(self) -> SwitchState:
        row = self._newest.first()
        return NEVER_SET if row is None else SwitchState(**row)


@contextmanager
def beside_a_running_system(database: Database) -> Iterator[Connection]:
    """Connect to a record, whether a system runs on it or not.

    Raises:
        StorageError: it cannot be opened, or is not of this program's version.
    """
    with database.connect(Purpose.TRADING) as connection:
        require_current(connection)
        yield connection
