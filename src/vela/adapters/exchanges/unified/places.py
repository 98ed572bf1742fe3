"""Where orders of ours are: exchanges want an order's symbol with its id, and we are only asked by id."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from vela.domain.money import ZERO, add
from vela.domain.trading_symbol import TradingSymbol
from vela.ports.execution import OrderReport

_MOST = 10_000


class Place:
    """What is remembered of an order.

    Attributes:
        symbol: what it trades.
        list_id: the exchange's id of the list it belongs to; None: of no list.
        is_seen: the exchange told of it, so that `list_id` can be relied on.
        filled: base executed, as far as it was told on.
    """

    __slots__ = ("filled", "is_seen", "list_id", "symbol")

    def __init__(self, symbol: TradingSymbol) -> None:
        self.symbol = symbol
        self.list_id: str | None = None
        self.is_seen = False
        self.filled = ZERO


class Places:
    """Remembers the newest orders, and guesses where others may be."""

    def __init__(self, symbols: Iterable[TradingSymbol]) -> None:
        """`symbols`: where an order of ours can be at all."""
        self._symbols = tuple(symbols)
        self._places: dict[str, Place] = {}

    def get(self, client_order_id: str) -> Place | None:
        """Return what is known of an order."""
        return self._places.get(client_order_id)

    def keep(self, client_order_id: str, symbol: TradingSymbol) -> Place:
        """Remember an order's symbol and return what is known of it."""
        place = self._places.get(client_order_id)
        if place is None or place.symbol != symbol:
            if len(self._places) >= _MOST:
                del self._places[next(iter(self._places))]
            place = self._places[client_order_id] = Place(symbol)
        return place

    def told(self, report: OrderReport) -> OrderReport:
        """Take note of what is told on, and return it."""
        place = self._places.get(report.client_order_id)
        if place is not None:
            place.filled = max(place.filled, executed(report))
        return report

    def filled(self, client_order_id: str) -> Decimal:
        """Return how much of an order was told to be executed, in base."""
        place = self._places.get(client_order_id)
        return ZERO if place is None else place.filled

    def candidates(self, client_order_id: str) -> list[TradingSymbol]:
        """Return the symbols to look under, the likeliest first."""
        place = self._places.get(client_order_id)
        if place is not None:
            return [place.symbol]
        return sorted(self._symbols, key=lambda symbol: not client_order_id.startswith(symbol.to_long()))


def executed(report: OrderReport) -> Decimal:
    """Return the base that a report says was executed."""
    if report.filled_quantity is not None:
        return report.filled_quantity
    return add(*(fill.quantity for fill in report.fills))
