"""Every request to an exchange passes here: within its budget, by its clock, and with our errors."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from enum import Enum
from typing import TypeVar

import structlog

from vela.adapters.exchanges.unified.budget import OrderBudget, RequestBudget
from vela.adapters.exchanges.unified.errors import Asked, described, is_wrong_clock, translated
from vela.adapters.exchanges.unified.reading import moment
from vela.domain.errors import RateLimited
from vela.ports.clock import Clock

_T = TypeVar("_T")
_BANNED, _TOO_MANY = 418, 429
_CLOCK_QUESTIONS, _SLOW_MS = 3, 300

_log = structlog.get_logger("vela.exchange")


class _Haste(Enum):
    """What becomes of a request for which there is no budget: it waits, fails, or uses what is kept for it."""

    PATIENT = "patient"
    ORDINARY = "ordinary"
    URGENT = "urgent"


_haste: ContextVar[_Haste] = ContextVar("haste", default=_Haste.PATIENT)


class Calls:
    """Sends requests, of which at most one more follows: when the clock was wrong, and therefore nothing was done."""

    def __init__(self, clock: Clock, budget: RequestBudget, server_time: Callable[[], Awaitable[int]]) -> None:
        """`server_time`: asks the exchange for its time, ms UTC."""
        self.budget = budget
        self.orders = OrderBudget()
        self.offset_ms = 0
        self._clock = clock
        self._server_time = server_time

    def now(self) -> int:
        """Return the exchange's time, ms UTC, as far as it is known."""
        return self._clock.now() + self.offset_ms

    async def set_clock(self) -> None:
        """Find out how far the exchange's clock is ahead of ours.

        What comes of it is wrong by up to half of the time that the answer took: after slow answers it is asked again,
        and the quickest counts.
        """
        quickest = math.inf
        for _ in range(_CLOCK_QUESTIONS):
            before = self._clock.monotonic()
            theirs = moment({"server time": await self._server_time()}, "server time")
            travelled_ms = (self._clock.monotonic() - before) * 1000
            if travelled_ms < quickest:
                quickest, self.offset_ms = travelled_ms, round(theirs + travelled_ms / 2 - self._clock.now())
            if quickest <= _SLOW_MS:
                return

    # ----------------------------------------------------------------------------------------------------- asking

    def admit_orders(self, orders: int, *, urgent: bool) -> None:
        """Return if so many new orders may be sent. `urgent`: they protect or close a position.

        Raises:
            RateLimited: not now.
        """
        now = self.now()
        wait = max(self.budget.closed_for(now), self.orders.wait_for(orders, now, urgent=urgent))
        if wait:
            raise RateLimited(f"no new orders in the next {wait:.0f} s", wait)

    async def place(self, send: Callable[[], Awaitable[_T]], *, urgent: bool, orders: int = 1) -> _T:
        """Place so many `orders` with one request. `urgent`: they protect or close a position.

        Raises:
            OrderRefused, OrderNotFound: nothing was done, for certain.
            OrderUnresolved: it may have been done.
        """
        self.admit_orders(orders, urgent=urgent)
        self.orders.spend(orders, self.now())
        return await self._ask(send, Asked.COMMAND, _Haste.URGENT if urgent else _Haste.ORDINARY)

    async def cancel(self, send: Callable[[], Awaitable[_T]]) -> _T:
        """Cancel orders.

        Raises:
            OrderRefused, OrderNotFound: nothing was done, for certain.
            OrderUnresolved: it may have been done.
        """
        return await self._ask(send, Asked.COMMAND, _Haste.URGENT)

    async def query(self, send: Callable[[], Awaitable[_T]], *, urgent: bool = False) -> _T:
        """Ask about orders or what is held.

        Raises:
            RateLimited, CredentialsRefused: it was not asked.
            OrderNotFound: the exchange does not know the order.
            OrderUnresolved: no certain answer.
        """
        return await self._ask(send, Asked.QUERY, _Haste.URGENT if urgent else _Haste.ORDINARY)

    async def market(self, send: Callable[[], Awaitable[_T]]) -> _T:
        """Ask what is public; waits while there is no budget.

        Raises:
            VenueUnavailable: no certain answer.
        """
        return await self._ask(send, Asked.MARKET, _Haste.PATIENT)

    async def _ask(self, send: Callable[[], Awaitable[_T]], asked: Asked, haste: _Haste) -> _T:
        token = _haste.set(haste)
        try:
            return await self._sent(send)
        except Exception as error:  # noqa: BLE001  ccxt raises whatever it likes; what it means, one table says
            raise translated(error, asked, max(1.0, self._closed_for(asked))) from None
        finally:
            _haste.reset(token)

    def _closed_for(self, asked: Asked) -> float:
        closed_for = self.budget.closed_for(self.now())
        if asked is not Asked.COMMAND:
            return closed_for
        return max(closed_for, self.orders.wait_for(1, self.now(), urgent=True))

    async def _sent(self, send: Callable[[], Awaitable[_T]]) -> _T:
        try:
            return await send()
        except Exception as error:
            if not is_wrong_clock(error):
                raise
            _log.warning("clock set anew", error=described(error))
        await self.set_clock()
        return await send()

    # ------------------------------------------------------------------------------------- told by the ccxt client

    async def admit(self, weight: int) -> None:
        """Return when a request of `weight` may be sent.

        Raises:
            RateLimited: not now, and it is not one that waits.
        """
        haste = _haste.get()
        while wait := self.budget.take(weight, self.now(), urgent=haste is _Haste.URGENT):
            if haste is not _Haste.PATIENT:
                raise RateLimited(f"no budget for requests in the next {wait:.0f} s", wait)
            await self._clock.sleep(wait)

    def answered(
        self,
        status: int,
        headers: Mapping[str, str],
        used_weight: str | None,
        order_count: str | None = None,
        *,
        of_orders: bool = False,
    ) -> None:
        """Take what an answer says about the budgets.

        Args:
            status: of the answer.
            headers: of the answer.
            used_weight: name of the header that counts this minute's weight.
            order_count: name of the header that counts the new orders of these ten seconds.
            of_orders: if too much was asked, it is too many new orders, not too many requests.
        """
        values = {name.lower(): value for name, value in headers.items()}
        used = _whole(values.get((used_weight or "").lower()))
        if used is not None:
            self.budget.told(used, self.now())
        placed = _whole(values.get((order_count or "").lower()))
        if placed is not None:
            self.orders.told(placed, self.now())
        seconds = _whole(values.get("retry-after"))
        if of_orders:
            self.orders.close(self.now(), seconds)
        elif status in {_BANNED, _TOO_MANY}:
            self.budget.close(self.now(), seconds, banned=status == _BANNED)
        if status in {_BANNED, _TOO_MANY}:
            _log.warning("asked too much", status=status, of_orders=of_orders, retry_after=seconds)


def _whole(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() else None
