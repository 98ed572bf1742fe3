"""Prices as they come, gathered until somebody can take them."""

from __future__ import annotations

import math
from collections.abc import Collection

from vela.domain.events import PricesMoved, Tick
from vela.domain.trading_symbol import TradingSymbol


class Conflation:
    """The newest price of each symbol, and the range it went through since it was last told."""

    def __init__(self) -> None:
        """Begin with nothing to tell."""
        self._waiting: dict[TradingSymbol, Tick] = {}
        self._newest: dict[TradingSymbol, int] = {}
        self._volumes: dict[TradingSymbol, float] = {}
        self._time = 0

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def take(self, symbol: TradingSymbol, price: float, time: int) -> None:
        """Take a trade of `time`, ms UTC. What is no price is passed over; a late one moves the range only."""
        if not (math.isfinite(price) and price > 0.0):
            return
        before = self._waiting.get(symbol)
        is_late = time < self._newest.get(symbol, 0)
        if before is None and is_late:
            return
        self._newest[symbol] = max(time, self._newest.get(symbol, 0))
        low, high = (price, price) if before is None else (min(before.low, price), max(before.high, price))
        newest = before.price if before is not None and is_late else price
        self._waiting[symbol] = Tick(symbol, newest, low, high)

    def closed(self, symbol: TradingSymbol, volume: float) -> None:
        """Take what was traded in a symbol's newest closed candle, in base."""
        self._volumes[symbol] = volume

    def tell(self, without: Collection[TradingSymbol]) -> PricesMoved | None:
        """Return what moved and forget it; prices of the symbols `without` are old by now and nobody gets them."""
        waiting, self._waiting = self._waiting, {}
        ticks = tuple(
            Tick(symbol, tick.price, tick.low, tick.high, volume=self._volumes.get(symbol, 0.0))
            for symbol, tick in waiting.items()
            if symbol not in without
        )
        if not ticks:
            return None
        self._time = max(self._time, *(self._newest[tick.symbol] for tick in ticks))
        return PricesMoved(time=self._time, ticks=ticks)
