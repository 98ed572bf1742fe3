"""How much may be asked for, and how many orders placed."""

from __future__ import annotations

from vela.venue.binance.errors import BinanceError

_MINUTE_MS = 60_000
_TEN_SECONDS_MS = 10_000
_DAY_MS = 86_400_000
ORDERS_PER_DAY = 200_000
_PATIENCE = 10  # requests over the limit in one minute until the ban
_FIRST_BAN_MS = 2 * _MINUTE_MS  # each further one is twice as long
_LONGEST_BAN_MS = 3 * _DAY_MS


class WeightLimiter:
    """A budget of request weight per minute for all callers, and a ban for whoever does not stop when it is used up."""

    def __init__(self, limit: int) -> None:
        """`limit`: weight per minute, above 0."""
        self._limit = limit
        self._minute = 0
        self._used = 0
        self._over = 0
        self._banned_until = 0
        self._next_ban_ms = _FIRST_BAN_MS

    def ban(self, until: int) -> None:
        """Refuse everything until then (ms UTC)."""
        self._banned_until = until

    def used(self, now: int) -> int:
        """Return the weight used in the minute of `now` (ms UTC)."""
        return self._used if now // _MINUTE_MS == self._minute else 0

    def spend(self, weight: int, now: int) -> None:
        """Count a request at `now` (ms UTC).

        Raises:
            BinanceError: the budget is used up (429), or the caller is banned (418).
        """
        if now < self._banned_until:
            raise self._refusal(418, f"IP banned until {self._banned_until}", self._banned_until - now)
        if now // _MINUTE_MS != self._minute:
            self._minute, self._used, self._over = now // _MINUTE_MS, 0, 0
        self._used += weight
        if self._used <= self._limit:
            return
        self._over += 1
        if self._over > _PATIENCE:
            self._banned_until = now + self._next_ban_ms
            self._next_ban_ms = min(2 * self._next_ban_ms, _LONGEST_BAN_MS)
            raise self._refusal(418, f"IP banned until {self._banned_until}", self._banned_until - now)
        text = f"current limit is {self._limit} request weight per 1 MINUTE"
        raise self._refusal(429, text, (self._minute + 1) * _MINUTE_MS - now)

    @staticmethod
    def _refusal(status: int, what: str, wait_ms: int) -> BinanceError:
        start = "Way too much request weight used" if status == 418 else "Too much request weight used"
        end = "Please use WebSocket Streams for live updates to avoid "
        return BinanceError(
            -1003,
            f"{start}; {what}. {end}{'bans' if status == 418 else 'polling the API'}.",
            status=status,
            headers={"Retry-After": str(-(-wait_ms // 1000))},
        )


class OrderLimiter:
    """Budgets of new orders: per ten seconds and per day, by the clock. Those that were refused count, too."""

    def __init__(self, limit: int) -> None:
        """`limit`: new orders per ten seconds, above 0."""
        self._limits = {_TEN_SECONDS_MS: limit, _DAY_MS: ORDERS_PER_DAY}
        self._placed = dict.fromkeys(self._limits, (0, 0))  # the span's number, and how many in it

    def placed(self, now: int) -> tuple[int, int]:
        """Return how many orders were placed in the ten seconds and in the day of `now` (ms UTC)."""
        ten_seconds, day = (self._in_span(length, now) for length in self._limits)
        return ten_seconds, day

    def spend(self, orders: int, now: int) -> None:
        """Count new orders at `now` (ms UTC).

        Raises:
            BinanceError: they are too many (429); nothing was counted.
        """
        for (length, limit), name in zip(self._limits.items(), ("10 SECOND", "1 DAY"), strict=True):
            if orders and self._in_span(length, now) + orders > limit:
                text = f"Too many new orders; current limit is {limit} orders per {name}."
                wait_ms = length - now % length
                raise BinanceError(-1015, text, status=429, headers={"Retry-After": str(-(-wait_ms // 1000))})
        for length in self._limits:
            self._placed[length] = (now // length, self._in_span(length, now) + orders)

    def _in_span(self, length: int, now: int) -> int:
        span, count = self._placed[length]
        return count if span == now // length else 0
