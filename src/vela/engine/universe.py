"""Which symbols are worth trading: the busiest of those that move."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable

import msgspec

from vela.domain.assets import STEADY_ASSETS, QuoteCurrency
from vela.domain.errors import ConfigurationError
from vela.domain.trading_symbol import TradingSymbol


class Activity(msgspec.Struct, frozen=True):
    """A symbol's last 24 hours.

    Attributes:
        symbol: whose.
        quote_volume: what was traded, in quote.
        change_pct: by how much the price rose or fell, in percent of what it was.
    """

    symbol: TradingSymbol
    quote_volume: float
    change_pct: float


class UniverseRules(msgspec.Struct, frozen=True, kw_only=True):
    """What a symbol must show to be traded.

    Attributes:
        size: how many at most.
        min_quote_volume: in 24 hours, in quote.
        min_move_pct: up or down in 24 hours, in percent.
    """

    size: int
    min_quote_volume: float = 50e6
    min_move_pct: float = 1.5

    def __post_init__(self) -> None:
        for name, least in (("size", 1), ("min_quote_volume", 0), ("min_move_pct", 0)):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= least):
                raise ConfigurationError(f"universe {name} was {value}; accepted: {least} or more")


class Universe(msgspec.Struct, frozen=True):
    """What is traded from now on.

    Attributes:
        chosen: may be entered; by turnover, the largest first.
        kept: held, but no longer chosen: looked after until it is sold, and not entered again. In their order.
    """

    chosen: tuple[TradingSymbol, ...]
    kept: tuple[TradingSymbol, ...] = ()

    @property
    def symbols(self) -> tuple[TradingSymbol, ...]:
        """All that prices are needed of."""
        return (*self.chosen, *self.kept)

    def holding(self, held: Collection[TradingSymbol]) -> Universe:
        """Return the same choice with that what is `held` now, and no longer chosen, is kept."""
        return Universe(self.chosen, tuple(sorted(set(held) - set(self.chosen))))


def choose(
    activities: Iterable[Activity], rules: UniverseRules, quote: QuoteCurrency, held: Collection[TradingSymbol] = ()
) -> Universe:
    """Choose the symbols with the largest turnover among those in `quote` that move enough.

    Coins that stand for money, and currencies, are left out: they move when something is wrong. Figures that are no
    numbers are no figures. Who is equally busy comes by name, so that the same figures make the same choice.

    Args:
        activities: of all symbols that can be traded now.
        rules: what they must show.
        quote: the account's currency.
        held: symbols in which there is a position.
    """
    busy = [
        activity
        for activity in activities
        if activity.symbol.quote is quote
        and activity.symbol.base not in STEADY_ASSETS
        and _is_at_least(activity.quote_volume, rules.min_quote_volume)
        and _is_at_least(abs(activity.change_pct), rules.min_move_pct)
    ]
    busy.sort(key=lambda activity: (-activity.quote_volume, activity.symbol))
    chosen = tuple(activity.symbol for activity in busy[: rules.size])
    return Universe(chosen).holding(held)


def _is_at_least(value: float, least: float) -> bool:
    return math.isfinite(value) and value >= least
