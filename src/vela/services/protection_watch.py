"""How long positions stand without a stop at the venue, and when to try again."""

from __future__ import annotations

from vela.domain.errors import OrderRefused, RateLimited
from vela.domain.trading_symbol import TradingSymbol
from vela.engine.order_manager import OrderManager

_ALARM_AFTER_S = 5.0
_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 30.0


class ProtectionWatch:
    """Times are seconds of a clock that only measures durations."""

    def __init__(self) -> None:
        self._retry_at: float | None = None
        self._pause = _FIRST_PAUSE_S
        self._bare_since: dict[TradingSymbol, float] = {}
        self._alarmed: set[TradingSymbol] = set()

    def failed(self, refusal: OrderRefused, now: float) -> None:
        """An order was refused: it may have been one that protects. Pauses grow."""
        pause = max(self._pause, refusal.retry_after) if isinstance(refusal, RateLimited) else self._pause
        self._retry_at = now + pause
        self._pause = min(2 * self._pause, _LONGEST_PAUSE_S)

    def is_retry_due(self, now: float) -> bool:
        """Say once that what positions lack should be planned again."""
        if self._retry_at is None or now < self._retry_at:
            return False
        self._retry_at = None
        return True

    def alarms(self, manager: OrderManager, now: float) -> list[str]:
        """Return what a person should know, once for each position that stands bare for too long."""
        bare = {p.symbol for p in manager.positions if manager.stop_state(p) in {"planned", "guarded"}}
        if not bare:
            self._pause = _FIRST_PAUSE_S
        self._bare_since = {symbol: self._bare_since.get(symbol, now) for symbol in bare}
        self._alarmed &= bare
        late = sorted(s for s in bare - self._alarmed if now - self._bare_since[s] > _ALARM_AFTER_S)
        self._alarmed.update(late)
        return [f"{symbol} has no stop at the venue for {_ALARM_AFTER_S:.0f} s; it is guarded here" for symbol in late]
