"""What may still be asked of an exchange in this minute."""

from __future__ import annotations

_MINUTE_MS = 60_000
_SETTLED_MS = 2_000  # by then no answer to a request of the minute before is on its way
_RESERVE = 0.2
_ORDERS_PAUSE_S = 10.0


class RequestBudget:
    """Request weights per minute, for all calls of a process. A part is kept for what must not wait.

    Times are ms UTC by the exchange's clock, whose minutes are the ones that count.
    """

    def __init__(self, limit: int) -> None:
        """`limit`: weight per minute, above 0."""
        self.limit = limit
        self._minute = 0
        self._used = 0
        self._closed_until = 0
        self._orders_closed_until = 0

    def take(self, weight: int, now: int, *, urgent: bool) -> float:
        """Spend `weight` if that can be.

        Args:
            weight: of the request.
            now: the time.
            urgent: it cancels, protects or closes a position, and may use what is kept for that.

        Returns:
            0 if it may be sent, else seconds after which to ask again; then nothing was spent.
        """
        if now < self._closed_until:
            return (self._closed_until - now) / 1000
        self._begin(now)
        allowed = self.limit if urgent else self.limit * (1 - _RESERVE)
        if self._used and self._used + weight > allowed:
            return ((self._minute + 1) * _MINUTE_MS - now) / 1000
        self._used += weight
        return 0.0

    def told(self, used: int, now: int) -> None:
        """Take the exchange's count of this minute, which others at the same address share."""
        self._begin(now)
        if now % _MINUTE_MS >= _SETTLED_MS:
            self._used = max(self._used, used)

    def close(self, now: int, seconds: float | None, *, banned: bool) -> None:
        """Ask nothing more at all: the exchange said so, and for how long (None: it did not say)."""
        if seconds is None:
            seconds = 2 * _MINUTE_MS / 1000 if banned else (_MINUTE_MS - now % _MINUTE_MS) / 1000
        self._closed_until = max(self._closed_until, now + int(seconds * 1000))

    def close_orders(self, now: int, seconds: float | None) -> None:
        """Place nothing new for a while: too many orders were. All else may be asked."""
        wait = _ORDERS_PAUSE_S if seconds is None else seconds
        self._orders_closed_until = max(self._orders_closed_until, now + int(wait * 1000))

    def closed_for(self, now: int, *, placing: bool = False) -> float:
        """Return the seconds for which nothing may be asked, or nothing be placed."""
        until = max(self._closed_until, self._orders_closed_until) if placing else self._closed_until
        return max(0.0, (until - now) / 1000)

    def _begin(self, now: int) -> None:
        if now // _MINUTE_MS > self._minute:
            self._minute, self._used = now // _MINUTE_MS, 0
