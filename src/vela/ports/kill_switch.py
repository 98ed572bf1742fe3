"""The kill switch: set by a person in a process of its own, heeded by whoever sends orders."""

from __future__ import annotations

from typing import Protocol

import msgspec


class SwitchState(msgspec.Struct, frozen=True):
    """The kill switch as it was last set.

    Attributes:
        number: how often it was set so far; 0: never.
        time: when, by the wall clock, ms UTC.
        is_on: no entries pass, and those under way are taken back.
        flatten: every position is to be closed, too; only where it is on.
        reason: why, in the words of whoever set it; may be empty.
        by: what set it.
        resets: how often so far it was asked that losses are counted anew.
    """

    number: int = 0
    time: int = 0
    is_on: bool = False
    flatten: bool = False
    reason: str = ""
    by: str = ""
    resets: int = 0


NEVER_SET = SwitchState()
"""The switch of a new record: off."""


class KillSwitch(Protocol):
    """Every setting is kept, none is changed; several processes may use it at once."""

    async def state(self) -> SwitchState:
        """Return the newest setting, whoever made it, `NEVER_SET` if there is none.

        Raises:
            StorageError: it cannot be read.
        """
        ...

    async def turn(
        self,
        *,
        on: bool,
        time: int,
        by: str,
        reason: str = "",
        flatten: bool = False,
        reset_limits: bool = False,
    ) -> SwitchState:
        """Set it, durably, and return its new state.

        Args:
            on: or off.
            time: the wall clock, ms UTC.
            by: what sets it.
            reason: why, for people.
            flatten: with `on`: close every position.
            reset_limits: count losses anew.

        Raises:
            StorageError: nothing was written.
        """
        ...
