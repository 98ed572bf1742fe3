"""The newest values inside one process."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import cast

from vela.adapters.latest_values.newest import Newest
from vela.domain.trading_symbol import TradingSymbol
from vela.ports.latest_values import PRICES, REGIMES, STRATEGIES, Kind, LatestValue, Snapshot, V


class MemoryLatestValues:
    """`LatestValues` for services that are tasks of one event loop."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._newest = Newest()
        self._values: dict[str, dict[TradingSymbol, LatestValue]] = {}
        self._active: tuple[TradingSymbol, ...] = ()

    async def put(self, kind: Kind[V], values: Mapping[TradingSymbol, V]) -> None:
        """See `LatestValues.put`."""
        news = self._newest.news(kind, values)
        self._values.setdefault(kind.prefix, {}).update(news)

    async def get(self, kind: Kind[V], symbols: Sequence[TradingSymbol]) -> dict[TradingSymbol, V]:
        """See `LatestValues.get`."""
        values = cast("dict[TradingSymbol, V]", self._values.get(kind.prefix, {}))
        return {symbol: values[symbol] for symbol in symbols if symbol in values}

    async def snapshot(self, symbols: Sequence[TradingSymbol]) -> Snapshot:
        """See `LatestValues.snapshot`."""
        return Snapshot(
            await self.get(PRICES, symbols), await self.get(REGIMES, symbols), await self.get(STRATEGIES, symbols)
        )

    async def put_active(self, symbols: Iterable[TradingSymbol]) -> None:
        """See `LatestValues.put_active`."""
        self._active = tuple(sorted(set(symbols)))

    async def active(self) -> tuple[TradingSymbol, ...]:
        """See `LatestValues.active`."""
        return self._active
