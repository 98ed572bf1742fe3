"""Prices out of all proportion to those before: a token that was split or renamed, a feed that lost a digit."""

from __future__ import annotations

from vela.domain.trading_symbol import TradingSymbol

_MOST_TIMES = 5.0


class PriceScale:
    """Freezes a symbol whose price is five times, or a fifth of, the one before, until it is back where it was.

    Where it does not come back, a person decides: whoever starts Vela again lets it begin with the prices of then.
    """

    def __init__(self) -> None:
        """Know no price; the first one of each symbol is believed."""
        self._last: dict[TradingSymbol, float] = {}
        self._frozen: set[TradingSymbol] = set()

    def fits(self, symbol: TradingSymbol, price: float) -> bool:
        """Say whether a price, above 0, can be believed; then the next one is measured by it."""
        last = self._last.get(symbol, price)
        if not last / _MOST_TIMES < price < last * _MOST_TIMES:
            return False
        self._last[symbol] = price
        self._frozen.discard(symbol)
        return True

    def freeze(self, symbol: TradingSymbol, price: float) -> str | None:
        """Return what a person should know of a price that does not fit, once."""
        if symbol in self._frozen:
            return None
        self._frozen.add(symbol)
        return (
            f"{symbol} went from {self._last[symbol]:g} to {price:g} at once: frozen until it is back; "
            "if that is its price now, start Vela again"
        )
