"""Symbols that are chosen anew every hour: the choice in force, and what is told of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from vela.adapters.exchanges.unified.connection import Connection
from vela.domain.assets import QuoteCurrency
from vela.domain.errors import ConfigurationError, VelaError
from vela.domain.timeframe import Timeframe
from vela.domain.trading_symbol import TradingSymbol
from vela.engine.universe import Universe, UniverseRules, choose

HOUR_MS: Final = Timeframe.H1.milliseconds


@dataclass(frozen=True, slots=True)
class News:
    """What became known of the symbols.

    Attributes:
        text: to be told; empty: nothing that is worth it.
        level: of the alert that tells it.
        is_change: other symbols are to be traded: `Marketplace.gather` takes them.
        is_unanswered: the exchange, or the record, did not tell; it is worth asking again soon.
    """

    text: str = ""
    level: str = "info"
    is_change: bool = False
    is_unanswered: bool = False


class Choice:
    """What was chosen last; it stays until a look at the market brings another one."""

    def __init__(self, rules: UniverseRules, quote: str) -> None:
        """Begin without one."""
        self._rules, self._quote = rules, QuoteCurrency(quote)
        self._universe = Universe(())

    @property
    def chosen(self) -> tuple[TradingSymbol, ...]:
        """What may be entered."""
        return self._universe.chosen

    def holding(self, held: Collection[TradingSymbol]) -> Universe:
        """Return the choice, and beside it what is held."""
        return self._universe.holding(held)

    async def begin(
        self,
        connection: Connection,
        before: Collection[TradingSymbol],
        held: Collection[TradingSymbol],
        left_out: str | None,
    ) -> News:
        """Choose for the first time in this process.

        Args:
            connection: to the exchange, just opened.
            before: what this account traded last; it stays if nothing else can be found, without what is `held`, which
                may have been kept for its exit only.
            held: symbols in which there is a position.
            left_out: an asset that is not to be traded; None: there is none.

        Raises:
            VenueUnavailable: the exchange does not tell, and nothing was traded before.
            ConfigurationError: nothing is worth trading, and nothing was traded before.
        """
        self._universe = Universe(tuple(sorted(before)))
        try:
            return await self.look(connection, left_out)
        except VelaError as problem:
            if not before:
                raise
            self._universe = Universe(tuple(sorted(set(before) - set(held))))
            return failed(problem)

    async def look(self, connection: Connection, left_out: str | None) -> News:
        """Choose anew.

        Raises:
            VenueUnavailable: the exchange does not tell; the choice stays.
            ConfigurationError: nothing is worth trading; the choice stays.
        """
        activities = [one for one in await connection.activity() if one.symbol.base != left_out]
        chosen, before = choose(activities, self._rules, self._quote).chosen, set(self.chosen)
        if not chosen:
            raise ConfigurationError(
                f"no symbol at {connection.name} has what the universe asks for, {self._wanted()}; "
                "accepted: a smaller --universe-min-volume or --universe-min-move"
            )
        self._universe = Universe(chosen)
        come, gone = _names(set(chosen) - before), _names(before - set(chosen))
        if not come and not gone:
            return News()
        words = [f"{names} {verb}" for names, verb in ((come, "come"), (gone, "go")) if names]
        return News(f"the symbols change: {', '.join(words)}", is_change=True)

    def _wanted(self) -> str:
        volume, move = self._rules.min_quote_volume, self._rules.min_move_pct
        return f"{volume:,.0f} {self._quote.value} traded and a move of {move:g} % in 24 hours"


def failed(problem: VelaError) -> News:
    """Return what is told of a look that brought no choice."""
    # A market that shows too little will not show more within minutes.
    is_unanswered = not isinstance(problem, ConfigurationError)
    return News(f"the symbols stay as they were: {problem}"[:300], "warning", is_unanswered=is_unanswered)


def _names(symbols: Iterable[TradingSymbol]) -> str:
    return ", ".join(map(str, sorted(symbols)))
