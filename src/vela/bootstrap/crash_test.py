"""What a test says to this process through its environment; nobody else has a reason to."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from contextlib import suppress

from vela.bootstrap.settings import Settings
from vela.domain.crashpoints import arm
from vela.domain.errors import ConfigurationError
from vela.ports.execution import FollowUp

CRASH_AT = "VELA_CRASH_AT"
FOLLOW_UP = "VELA_FOLLOW_UP"

_SIGNALS = {"": signal.SIGKILL, "TERM": signal.SIGTERM}


def arm_from(environment: Mapping[str, str]) -> None:
    """Arm the point that the environment names, if it names one.

    `VELA_CRASH_AT=P07:3` kills the process on the third pass of P07, `P07:3:TERM` asks it to leave.

    Raises:
        ConfigurationError: it names something else.
    """
    wanted = environment.get(CRASH_AT)
    if not wanted:
        return
    point, _, rest = wanted.partition(":")
    passes, _, name = rest.partition(":")
    if not (passes or "1").isdecimal() or int(passes or "1") < 1 or name not in _SIGNALS:
        raise ConfigurationError(f"{CRASH_AT} was {wanted[:40]!r}; accepted: a point and how often, such as P07:3")
    left = [int(passes or "1")]

    def pass_by() -> None:
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), _SIGNALS[name])

    try:
        arm(point, pass_by)
    except ValueError as error:
        raise ConfigurationError(f"{CRASH_AT}: {error}") from None


def follow_up_from(environment: Mapping[str, str], settings: Settings) -> FollowUp | None:
    """Return how orders are looked after, if the environment says so; None: as always.

    `VELA_FOLLOW_UP=2,0.5,1` gives up an order that was not known twice, half a second after it was sent, and compares
    everything with the venue each second. At a real exchange, orders could be given up that are still on their way.

    Raises:
        ConfigurationError: it says something else, or orders go to a real exchange.
    """
    wanted = environment.get(FOLLOW_UP)
    if not wanted:
        return None
    if settings.exchange_url is None:
        raise ConfigurationError(f"{FOLLOW_UP} is for tests; accepted: with --exchange-url, or not at all")
    with suppress(ValueError):
        tries, absent_seconds, reconcile_seconds = wanted.split(",")
        follow_up = FollowUp(int(tries), float(absent_seconds), float(reconcile_seconds))
        if follow_up.absent_tries > 0 and follow_up.absent_seconds >= 0 and follow_up.reconcile_seconds > 0:
            return follow_up
    raise ConfigurationError(f"{FOLLOW_UP} was {wanted[:40]!r}; accepted: tries, seconds and seconds, such as 2,0.5,1")
