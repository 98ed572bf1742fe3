"""Named places at which a test may end the process, to see that nothing is lost there.

    P01 candle taken, no decision yet          P13 fill committed, not told yet
    P02 decided, signal not told               P14 told, stop not yet planned
    P03 signal taken, nothing reserved         P15 stop intent committed, nothing sent
    P04 inside the intent's transaction        P16 stop sent, no answer
    P05 intent committed, nothing sent         P17 stop acknowledged, not committed
    P06 bytes sent, the venue has not matched  P18 old stop cancelled, new one not placed
    P07 venue accepted, answer not read        P19 exit: stop cancelled, exit not sent
    P08 answer read, not parsed                P20 exit sent, no answer
    P09 answer parsed, not committed           P21 a part of the exit booked, the rest still open
    P10 answer committed, not told             P22 inside the transaction that closes a position
    P11 fill received, not stored              P23 inside the reconciliation of a start
    P12 inside a fill's transaction            P24 inside a migration
    P25 told, still in the outbox

Nothing is armed unless the process was told so when it started: then a place costs one look at an empty dictionary.
"""

from __future__ import annotations

from collections.abc import Callable

POINTS = tuple(f"P{number:02}" for number in range(1, 26))

_armed: dict[str, Callable[[], None]] = {}


def arm(point: str, action: Callable[[], None]) -> None:
    """Let `action` happen each time the process passes `point`.

    Raises:
        ValueError: there is no such point.
    """
    if point not in POINTS:
        raise ValueError(f"crash point was {point[:40]!r}; accepted: {POINTS[0]} to {POINTS[-1]}")
    _armed[point] = action


def disarm() -> None:
    """Pass every point again as if it were not there."""
    _armed.clear()


def crashpoint(point: str) -> None:
    """Pass a point."""
    if _armed:
        action = _armed.get(point)
        if action is not None:
            action()
