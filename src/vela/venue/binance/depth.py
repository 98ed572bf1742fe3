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
    """The newest state of every symbol's book. Orders of the account's own do not show in it."""

    def __init__(self, exchange: SpotExchange) -> None:
        """Look at `exchange`'s books."""
        self._exchange = exchange
        self._states: dict[TradingSymbol, tuple[int, tuple[_Side, _Side]]] = {}

    def update(self, symbol: TradingSymbol, now: int) -> Shape | None:
        """Take a new look and return what changed as a `depthUpdate`; None if nothing did. `now`: ms UTC."""
        number, before = self._states.get(symbol, (0, ({}, {})))
        bids, asks = (dict(self._exchange.depth(symbol, side)) for side in _SIDES)
        changes = [_changes(old, new) for old, new in zip(before, (bids, asks), strict=True)]
        if not any(changes):
            return None
        self._states[symbol] = (number + 1, (bids, asks))
        return {
            "e": "depthUpdate",
            "E": now,
            "s": symbol.to_binance_api(),
            "U": number + 1,
            "u": number + 1,
            "b": changes[0],
            "a": changes[1],
        }

    def snapshot(self, symbol: TradingSymbol, limit: int) -> Shape:
        """Return the newest state that was looked at, up to `limit` levels of each side, best first."""
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


def _changes(before: _Side, after: _Side) -> list[list[str]]:
    gone = [[amount(price), amount(None)] for price in before if price not in after]
    return gone + [[amount(price), amount(size)] for price, size in after.items() if before.get(price) != size]
