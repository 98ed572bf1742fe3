"""The order book as Binance tells it: numbered states, and what changed from one to the next."""

from __future__ import annotations

from decimal import Decimal

from vela.domain.order import Side
from vela.domain.trading_symbol import TradingSymbol
from vela.simulation.spot_exchange import SpotExchange
from vela.venue.binance.shapes import Shape, amount

_Side = dict[Decimal, Decimal]
_SIDES = (Side.BUY, Side.SELL)


class Depths:
    """The newest state of every symbol's book. Orders of the account's own do not show in it.

    Nobody looks at the book while nobody asks: a state is numbered when it is looked at.
    """

    def __init__(self, exchange: SpotExchange) -> None:
        """Look at `exchange`'s books."""
        self._exchange = exchange
        self._states: dict[TradingSymbol, tuple[int, tuple[_Side, _Side]]] = {}

    def changes(self, symbol: TradingSymbol, now: int) -> Shape | None:
        """Return what changed since the last look as a `depthUpdate`; None if nothing did. `now`: ms UTC."""
        changed = self._look(symbol)
        if not any(changed):
            return None
        number, _ = self._states[symbol]
        head = {"e": "depthUpdate", "E": now, "s": symbol.to_binance_api()}
        return {**head, "U": number, "u": number, "b": changed[0], "a": changed[1]}

    def snapshot(self, symbol: TradingSymbol, limit: int) -> Shape:
        """Return the book as it is, up to `limit` levels of each side, best first."""
        self._look(symbol)
        number, (bids, asks) = self._states.get(symbol, (0, ({}, {})))
        return {
            "lastUpdateId": number,
            "bids": [[amount(price), amount(bids[price])] for price in list(bids)[:limit]],
            "asks": [[amount(price), amount(asks[price])] for price in list(asks)[:limit]],
        }

    def ticker(self, symbol: TradingSymbol) -> Shape:
        """Return the best bid and ask as the stream `bookTicker` tells them."""
        book = self.snapshot(symbol, 1)
        best = [
            side[0] if isinstance(side, list) and side else [amount(None)] * 2 for side in (book["bids"], book["asks"])
        ]
        (bid, bid_quantity), (ask, ask_quantity) = best
        return {
            "u": book["lastUpdateId"],
            "s": symbol.to_binance_api(),
            "b": bid,
            "B": bid_quantity,
            "a": ask,
            "A": ask_quantity,
        }

    def _look(self, symbol: TradingSymbol) -> list[list[list[str]]]:
        number, before = self._states.get(symbol, (0, ({}, {})))
        bids, asks = (dict(self._exchange.depth(symbol, side)) for side in _SIDES)
        changed = [_changes(old, new) for old, new in zip(before, (bids, asks), strict=True)]
        if any(changed):
            self._states[symbol] = (number + 1, (bids, asks))
        return changed


def _changes(before: _Side, after: _Side) -> list[list[str]]:
    gone = [[amount(price), amount(None)] for price in before if price not in after]
    return gone + [[amount(price), amount(size)] for price, size in after.items() if before.get(price) != size]
