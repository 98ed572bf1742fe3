"""What orders find when they take: a book that can run out, or all they ask for at a price that slips."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple, Protocol

from vela.domain.errors import ConfigurationError
from vela.domain.execution_rules import PPM, market_fill_ticks, order_slippage_ppm
from vela.domain.instrument import Instrument
from vela.domain.order import Side
from vela.domain.trading_symbol import TradingSymbol
from vela.simulation.depth import Level, without


class Quote(NamedTuple):
    """The market's price in ticks, 1 or more, and what its newest candle traded, in base."""

    instrument: Instrument
    ticks: int
    volume: float


class Liquidity(Protocol):
    """A rule of what is offered.

    Where it is `endless`, orders execute as a whole or not at all, wherever they touch the market, never with each
    other, and a limit that the market gaps over gets the market's price. Else they take what is there, and a limit that
    rests trades at its own price.
    """

    endless: bool

    def offers(self, quote: Quote, side: Side, steps: int) -> list[Level]:
        """Return what orders of that side can take, best price first, `steps` of them at once."""
        ...

    def took(self, symbol: TradingSymbol, side: Side, steps: int) -> None:
        """Take note of what was taken."""
        ...

    def moved(self, symbol: TradingSymbol) -> None:
        """Take note of a move of the market."""
        ...

    def worst_ticks(self, ticks: int) -> int:
        """Return the most that a purchase at `ticks` may have to pay, as far as that can be told before."""
        ...


class Offers(Protocol):
    """A rule that makes up one side of a book."""

    def __call__(self, price_ticks: int, volume_steps: int, *, is_ask: bool) -> list[Level]:
        """Return what is offered for sale (`is_ask`) or bid at a market's price, best price first."""
        ...


class MadeUpBook:
    """A book made up by a rule; what was taken is gone until the price moves again."""

    endless = False

    def __init__(self, offers: Offers) -> None:
        """Make the book up by `offers`."""
        self._offers = offers
        self._taken: dict[tuple[TradingSymbol, Side], int] = {}

    def offers(self, quote: Quote, side: Side, steps: int) -> list[Level]:  # noqa: ARG002  what is there is there
        """See `Liquidity.offers`."""
        volume = quote.instrument.quantity_steps(Decimal(repr(quote.volume)))
        levels = self._offers(quote.ticks, volume, is_ask=side is Side.BUY)
        return without(levels, self._taken.get((quote.instrument.symbol, side), 0))

    def took(self, symbol: TradingSymbol, side: Side, steps: int) -> None:
        """See `Liquidity.took`."""
        self._taken[symbol, side] = self._taken.get((symbol, side), 0) + steps

    def moved(self, symbol: TradingSymbol) -> None:
        """See `Liquidity.moved`."""
        for side in Side:
            self._taken.pop((symbol, side), None)

    def worst_ticks(self, ticks: int) -> int:
        """See `Liquidity.worst_ticks`."""
        return ticks


class Slippage:
    """All that is asked for, at one price that is worse than the market's: by a part, and by the order's own impact."""

    endless = True

    def __init__(self, slippage_ppm: int, impact_ppm: int) -> None:
        """`slippage_ppm`, `impact_ppm`: see `order_slippage_ppm`; 0 to 1,000,000.

        Raises:
            ConfigurationError: one of them is out of range.
        """
        for name, ppm in (("slippage", slippage_ppm), ("impact", impact_ppm)):
            if not 0 <= ppm <= PPM:
                raise ConfigurationError(f"{name} was {ppm} ppm; accepted: 0 to {PPM}")
        self._slippage_ppm = slippage_ppm
        self._impact_ppm = impact_ppm

    def offers(self, quote: Quote, side: Side, steps: int) -> list[Level]:
        """See `Liquidity.offers`."""
        step = float(quote.instrument.step)
        ppm = order_slippage_ppm(steps, step, quote.volume, self._slippage_ppm, self._impact_ppm)
        return [Level(market_fill_ticks(quote.ticks, side is Side.BUY, ppm), steps)]

    def took(self, symbol: TradingSymbol, side: Side, steps: int) -> None:
        """See `Liquidity.took`."""

    def moved(self, symbol: TradingSymbol) -> None:
        """See `Liquidity.moved`."""

    def worst_ticks(self, ticks: int) -> int:
        """See `Liquidity.worst_ticks`. Nobody knows what will be traded by then: as if the order were all of it."""
        return market_fill_ticks(ticks, True, min(PPM, self._slippage_ppm + self._impact_ppm))  # noqa: FBT003  is_buy
