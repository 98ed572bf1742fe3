"""The kill switch from outside: beside a running system, or before it starts again."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from sqlalchemy import Connection

from vela.adapters.clock import SystemClock
from vela.adapters.storage.sql.database import transaction
from vela.adapters.storage.sql.kill_switch import SqlKillSwitch, beside_a_running_system
from vela.adapters.storage.sql.trading_record import read_limit_marks
from vela.bootstrap.record import require_record
from vela.bootstrap.settings import DataSettings
from vela.domain.errors import ConfigurationError
from vela.ports.kill_switch import SwitchState
from vela.ports.record import LimitMarks

LONGEST_REASON = 200
_BY = "command"


@dataclass(frozen=True, slots=True)
class Standing:
    """The switch, and the limits on losses. `marks`: None where none were ever set."""

    switch: SwitchState
    marks: LimitMarks | None

    @property
    def day_lost(self) -> bool:
        """Whether more was lost on the marks' day than may be."""
        return self._counts and self.marks is not None and self.marks.day_lost

    @property
    def drawn_down(self) -> bool:
        """Whether equity fell further below its highest than it may, and nobody has lifted that."""
        return self._counts and self.marks is not None and self.marks.drawn_down

    @property
    def _counts(self) -> bool:
        # A request to count anew that waits for the system to run is as good as done.
        return self.marks is not None and self.switch.resets <= self.marks.resets


def kill_switch_state(settings: DataSettings) -> Standing:
    """Return how the account that the settings name stands.

    Raises:
        ConfigurationError: there is none.
        StorageError: its record cannot be read.
    """
    with beside_a_running_system(require_record(settings)) as connection:
        return _standing(connection)


def turn_kill_switch(settings: DataSettings, *, on: bool, reason: str, flatten: bool, reset_limits: bool) -> Standing:
    """Set the kill switch of the account that the settings name; see `KillSwitch.turn`.

    Raises:
        ConfigurationError: there is none, or the reason is no line of text.
        StorageError: nothing was written.
    """
    if len(reason) > LONGEST_REASON or not reason.isprintable():
        raise ConfigurationError(f"reason was {reason[:40]!r}; accepted: a line of up to {LONGEST_REASON} characters")
    with beside_a_running_system(require_record(settings)) as connection:
        turned = SqlKillSwitch(connection).turn(
            on=on, time=SystemClock().now(), by=_BY, reason=reason, flatten=flatten, reset_limits=reset_limits
        )
        asyncio.run(turned)
        return _standing(connection)


def _standing(connection: Connection) -> Standing:
    switch = asyncio.run(SqlKillSwitch(connection).state())
    with transaction(connection):
        return Standing(switch, read_limit_marks(connection))
