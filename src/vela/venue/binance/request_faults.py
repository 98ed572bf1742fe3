"""Requests on their way through the faults, whichever way they came."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from vela.venue.binance.errors import BinanceError
from vela.venue.binance.gate import Gate
from vela.venue.faults import OF_REQUESTS, Fault, FaultKind, FaultPlan

GARBAGE = '<html>\x00{"code":'

_Answer = TypeVar("_Answer")

_TIMEOUT_S, _DELAY_S, _BAN_S, _MAINTENANCE_S = 60.0, 1.0, 120.0, 60.0
_REJECTED = (-2010, "NEW_ORDER_REJECTED")
_STATUS_UNKNOWN = (
    -1007,
    "Timeout waiting for response from backend server. Send status unknown; execution status unknown.",
)


@dataclass(frozen=True, slots=True)
class Attempt(Generic[_Answer]):
    """A request, and what can be done with it.

    Attributes:
        names: what faults know it by.
        execute: does what was asked and returns the answer.
        refuse: returns an error as an answer.
        garble: returns what nobody can read.
        cut: ends the connection without a word.
    """

    names: tuple[str, ...]
    execute: Callable[[], _Answer]
    refuse: Callable[[BinanceError], _Answer]
    garble: Callable[[], _Answer]
    cut: Callable[[], None]


class RequestFaults:
    """Lets requests go wrong as somebody asked."""

    def __init__(self, plan: FaultPlan, gate: Gate) -> None:
        """Follow `plan`; bans and maintenance happen at `gate`."""
        self._plan = plan
        self._gate = gate

    async def through(self, attempt: Attempt[_Answer]) -> _Answer | None:
        """Return what is answered; None: nothing, the connection is cut."""
        fault = self._plan.hit(attempt.names, OF_REQUESTS)
        if fault is None:
            return attempt.execute()
        return await self._gone_wrong(fault, attempt)

    async def _gone_wrong(self, fault: Fault, attempt: Attempt[_Answer]) -> _Answer | None:
        match fault.kind:
            case FaultKind.DELAY:
                await asyncio.sleep(_seconds(fault, _DELAY_S))
            case FaultKind.BAN:
                self._gate.ban(_seconds(fault, _BAN_S))
            case FaultKind.MAINTENANCE:
                self._gate.close(_seconds(fault, _MAINTENANCE_S))
            case FaultKind.REJECT:
                return attempt.refuse(_error(fault, _REJECTED, 400))
            case FaultKind.EXECUTE_AND_5XX:
                attempt.execute()
                return attempt.refuse(_error(fault, _STATUS_UNKNOWN, 503))
            case FaultKind.GARBAGE:
                attempt.execute()
                return attempt.garble()
            case _:
                await _cut(fault, attempt)
                return None
        return attempt.execute()


async def _cut(fault: Fault, attempt: Attempt[_Answer]) -> None:
    if fault.kind in {FaultKind.EXECUTE_AND_TIMEOUT, FaultKind.EXECUTE_AND_RESET}:
        attempt.execute()
    if fault.kind in {FaultKind.EXECUTE_AND_TIMEOUT, FaultKind.SILENT}:
        await asyncio.sleep(_seconds(fault, _TIMEOUT_S))
    attempt.cut()


def _error(fault: Fault, default: tuple[int, str], status: int) -> BinanceError:
    code, message = default
    args = fault.args
    return BinanceError(args.code or code, args.message or message, status=args.status or status)


def _seconds(fault: Fault, default: float) -> float:
    return default if fault.args.seconds is None else fault.args.seconds
