"""Lets a test end this process at a named point: `VELA_CRASH_AT=P07:3` kills it on the third pass of P07."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping

from vela.domain.crashpoints import arm
from vela.domain.errors import ConfigurationError

VARIABLE = "VELA_CRASH_AT"


def arm_from(environment: Mapping[str, str]) -> None:
    """Arm the point that the environment names, if it names one.

    Raises:
        ConfigurationError: it names something else.
    """
    wanted = environment.get(VARIABLE)
    if not wanted:
        return
    point, _, passes = wanted.partition(":")
    if not (passes or "1").isdecimal() or int(passes or "1") < 1:
        raise ConfigurationError(f"{VARIABLE} was {wanted[:40]!r}; accepted: a point and how often, such as P07:3")
    left = [int(passes or "1")]

    def pass_by() -> None:
        left[0] -= 1
        if left[0] <= 0:
            os.kill(os.getpid(), signal.SIGKILL)

    try:
        arm(point, pass_by)
    except ValueError as error:
        raise ConfigurationError(f"{VARIABLE}: {error}") from None
