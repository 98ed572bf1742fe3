"""The newest word on each symbol, for whoever needs no more than that."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import msgspec

from vela.domain.regime import MarketRegime
from vela.domain.trading_symbol import TradingSymbol


class LatestValue(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all values. `time`: when it came to hold, ms UTC; nothing else tells that it is old."""

    time: int


class LatestPrice(LatestValue, frozen=True, kw_only=True):
    """A price, quote per base."""

    price: float


class LatestRegime(LatestValue, frozen=True, kw_only=True):
    """What kind of market it is."""

    regime: MarketRegime


class LatestStrategy(LatestValue, frozen=True, kw_only=True):
    """By what a symbol is traded. `strategy`: its name, or `module:Class`; `params`: its parameters."""

    strategy: str
    params: dict[str, int | float]


V = TypeVar("V", bound=LatestValue)


@dataclass(frozen=True, slots=True)
class Kind(Generic[V]):
    """A kind of value. `prefix`: begins the keys; `type`: what values of this kind are."""

    prefix: str
    type: type[V]


PRICES = Kind("price", LatestPrice)
REGIMES = Kind("market_regime", LatestRegime)
STRATEGIES = Kind("strategy_config", LatestStrategy)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All there is on some symbols, by kind."""

    prices: Mapping[TradingSymbol, LatestPrice]
    regimes: Mapping[TradingSymbol, LatestRegime]
    strategies: Mapping[TradingSymbol, LatestStrategy]


class LatestValues(Protocol):
    """One value per kind and symbol, and the symbols that are in use. What was there before is forgotten."""

    async def put(self, kind: Kind[V], values: Mapping[TradingSymbol, V]) -> None:
        """Write values, and return once they or newer ones are there.

        While one write is under way, those that come after it gather, the newest of each symbol only, and go together:
        a writer may be as fast as it likes. A value whose time is before that of one written here already is void.

        Raises:
            BusError: they cannot be written, now or at all.
        """
        ...

    async def get(self, kind: Kind[V], symbols: Sequence[TradingSymbol]) -> dict[TradingSymbol, V]:
        """Read the values of those symbols in one round trip; who has none, or none that can be read, is left out.

        Give the same tuple again where the same symbols are read again and again: what is asked is then ready made.

        Raises:
            BusError: they cannot be read now.
        """
        ...

    async def snapshot(self, symbols: Sequence[TradingSymbol]) -> Snapshot:
        """Read the values of all kinds of those symbols in one round trip; see `get`.

        Raises:
            BusError: they cannot be read now.
        """
        ...

    async def put_active(self, symbols: Iterable[TradingSymbol]) -> None:
        """Write which symbols are in use.

        Raises:
            BusError: that cannot be written.
        """
        ...

    async def active(self) -> tuple[TradingSymbol, ...]:
        """Read which symbols are in use, in their order; those this process does not know are left out.

        Raises:
            BusError: that cannot be read now, or is no list.
        """
        ...
