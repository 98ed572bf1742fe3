"""Which values are still news."""

from __future__ import annotations

from collections.abc import Mapping

from vela.domain.trading_symbol import TradingSymbol
from vela.ports.latest_values import Kind, V


class Newest:
    """Remembers the time of the newest value of each kind and symbol."""

    def __init__(self) -> None:
        """Begin with nothing known."""
        self._times: dict[tuple[str, TradingSymbol], int] = {}

    def news(self, kind: Kind[V], values: Mapping[TradingSymbol, V]) -> dict[TradingSymbol, V]:
        """Return those values that are not older than what was news before, and remember them."""
        news: dict[TradingSymbol, V] = {}
        for symbol, value in values.items():
            place = (kind.prefix, symbol)
            if value.time >= self._times.get(place, value.time):
                self._times[place] = value.time
                news[symbol] = value
        return news
