"""Which orders the venue has to be asked for, when, and when its "not found" is final."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from vela.domain.order import Order, OrderStatus
from vela.ports.execution import FollowUp

_UNSETTLED = frozenset({OrderStatus.SENT, OrderStatus.UNKNOWN})
_FIRST_PAUSE_MS = 500
_LONGEST_PAUSE_MS = 10_000


@dataclass(slots=True)
class _Inquiry:
    since: int
    next_time: int
    pause: int = _FIRST_PAUSE_MS
    absences: int = 0


class Inquiries:
    """The open questions: orders without a certain answer, and those of which fills are missing.

    Each is asked again after a pause that grows. Times are the market's, ms UTC.
    """

    def __init__(self, follow_up: FollowUp) -> None:
        """`follow_up`: what the venue asks for."""
        self._follow_up = follow_up
        self._open: dict[str, _Inquiry] = {}
        self._incomplete: set[str] = set()

    def lacks_fills(self, client_order_id: str) -> None:
        """The venue told of more fills than it listed."""
        self._incomplete.add(client_order_id)

    def due(self, orders: Iterable[Order], now: int) -> list[Order]:
        """Return those of all live `orders` that are to be asked for now, and plan the next time for each."""
        questionable = [o for o in orders if o.status in _UNSETTLED or o.client_order_id in self._incomplete]
        names = {order.client_order_id for order in questionable}
        self._open = {name: inquiry for name, inquiry in self._open.items() if name in names}
        self._incomplete &= names
        due = []
        for order in questionable:
            inquiry = self._open.setdefault(order.client_order_id, _Inquiry(now, now))
            if now >= inquiry.next_time:
                inquiry.next_time = now + inquiry.pause
                inquiry.pause = min(2 * inquiry.pause, _LONGEST_PAUSE_MS)
                due.append(order)
        return due

    def told(self, client_order_id: str) -> None:
        """The venue knows the order."""
        self._open.pop(client_order_id, None)
        self._incomplete.discard(client_order_id)

    def is_absence_final(self, order: Order, now: int) -> bool:
        """The venue did not know the order; say whether that proves that it never arrived."""
        inquiry = self._open.setdefault(order.client_order_id, _Inquiry(now, now))
        inquiry.absences += 1
        # Since it was last sent or heard of: what was sent again may be as new to the venue as it was the first time.
        # And since the first question: an order planned upon an old fill bears that fill's time, and the process that
        # sent it may have died a moment ago.
        since = max(order.updated_time, inquiry.since)
        waited = max(0, now - since) / 1000  # a market may be taken up a little earlier
        is_final = inquiry.absences >= self._follow_up.absent_tries and waited >= self._follow_up.absent_seconds
        if is_final:
            del self._open[order.client_order_id]
        return is_final
