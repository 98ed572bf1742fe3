"""What may still be asked of an exchange in this minute, and how many orders may still be placed."""

from __future__ import annotations

_MINUTE_MS = 60_000
_SETTLED_MS = 2_000  # by then no answer to a request of the minute before is on its way
_RESERVE = 0.2
_ORDERS_PAUSE_S = 10.0
_ORDERS_SPAN_MS = 10_000


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

    def closed_for(self, now: int) -> float:
        """Return the seconds for which nothing may be asked."""
        return max(0.0, (self._closed_until - now) / 1000)

    def _begin(self, now: int) -> None:
        if now // _MINUTE_MS > self._minute:
            self._minute, self._used = now // _MINUTE_MS, 0


class OrderBudget:
    """New orders per ten seconds, by the exchange's clock. A part is kept for what protects or closes a position.

    Whoever asks before the first of several orders is sent, or before the old ones are cancelled, places nothing that
    would have to be taken back, and takes nothing back for which there is no substitute.

    Attributes:
        limit: how many; None: not known, the exchange itself will say when there are too many.
    """

    def __init__(self) -> None:
        self.limit: int | None = None
        self._span = 0
        self._placed = 0
        self._closed_until = 0

    def wait_for(self, orders: int, now: int, *, urgent: bool) -> float:
        """Return the seconds until so many `orders` may be placed; 0: now.

        Args:
            orders: 1 or more. More than the limit may be placed where nothing was before: it is the exchange's to say.
            now: the time, ms UTC.
            urgent: they protect or close a position, and may use what is kept for that.
        """
        self._begin(now)
        if now < self._closed_until:
            return (self._closed_until - now) / 1000
        if self.limit is None or not self._placed:
            return 0.0
        allowed = self.limit if urgent else self.limit * (1 - _RESERVE)
        return 0.0 if self._placed + orders <= allowed else ((self._span + 1) * _ORDERS_SPAN_MS - now) / 1000

    def spend(self, orders: int, now: int) -> None:
        """Count `orders` that are sent now; those that are refused count, too."""
        self._begin(now)
        self._placed += orders

    def told(self, placed: int, now: int) -> None:
        """Take the exchange's count of these ten seconds."""
        self._begin(now)
        if now % _ORDERS_SPAN_MS >= _SETTLED_MS:
            self._placed = max(self._placed, placed)

    def close(self, now: int, seconds: float | None) -> None:
        """Place nothing for a while: too many orders were. `seconds`: None where the exchange does not say."""
        wait = _ORDERS_PAUSE_S if seconds is None else seconds
        self._closed_until = max(self._closed_until, now + int(wait * 1000))

    def _begin(self, now: int) -> None:
        if now // _ORDERS_SPAN_MS > self._span:
            self._span, self._placed = now // _ORDERS_SPAN_MS, 0
