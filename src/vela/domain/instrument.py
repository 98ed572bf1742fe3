"""What a venue lets one trade: the grid of prices and quantities and the smallest order."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from math import ceil

import msgspec

from vela.domain.errors import ConfigurationError
from vela.domain.money import ZERO, multiply
from vela.domain.trading_symbol import TradingSymbol

_SURELY_EXACT = 2.0**50


class Instrument(msgspec.Struct, frozen=True):
    """A symbol's trading rules at one venue.

    Prices inside the engine are whole ticks, quantities whole steps: integers, so that every level and size is exact.

    Attributes:
        symbol: what is traded.
        tick: smallest price difference, in quote per base.
        step: smallest quantity difference, in base.
        min_notional: smallest order value, in quote; 0: none.
        min_quantity: smallest order quantity, in base; 0: none.
        ticks_per_unit: 1 / tick where that is a whole number, else 0; derived.
    """

    symbol: TradingSymbol
    tick: Decimal
    step: Decimal
    min_notional: Decimal = ZERO
    min_quantity: Decimal = ZERO
    ticks_per_unit: float = 0.0

    def __post_init__(self) -> None:
        for name, value in (("tick", self.tick), ("step", self.step)):
            if not value.is_finite() or value <= 0:
                raise ConfigurationError(f"{name} of {self.symbol} was {value}; accepted: a number above 0")
        for name, value in (("min_notional", self.min_notional), ("min_quantity", self.min_quantity)):
            if not value.is_finite() or value < 0:
                raise ConfigurationError(f"{name} of {self.symbol} was {value}; accepted: 0 or more")
        per_unit = 1 / self.tick
        msgspec.structs.force_setattr(self, "ticks_per_unit", float(per_unit) if per_unit == int(per_unit) else 0.0)

    @classmethod
    def raw(cls, symbol: TradingSymbol) -> Instrument:
        """Return the rules assumed where nothing is known: tick and step 1e-8, no minimum."""
        return cls(symbol, Decimal("1E-8"), Decimal("1E-8"))

    @property
    def min_steps(self) -> int:
        """The smallest order quantity in whole steps, rounded up."""
        return ceil(Fraction(self.min_quantity) / Fraction(self.step))

    @property
    def min_value(self) -> int:
        """The smallest order value in ticks × steps, rounded up."""
        return ceil(Fraction(self.min_notional) / (Fraction(self.tick) * Fraction(self.step)))

    def price_ticks(self, price: float | Decimal) -> int:
        """Return the number of ticks nearest to a market price (above zero)."""
        if isinstance(price, float):
            ticks = price * self.ticks_per_unit
            # The product is off by less than a unit in the last place: far from half a tick while it is small enough.
            if 0.0 < ticks < _SURELY_EXACT:
                return round(ticks)
            price = Decimal(repr(price))
        return round(price / self.tick)

    def price(self, ticks: int) -> Decimal:
        """Return the price of that many ticks, exact, in quote per base."""
        return multiply(Decimal(ticks), self.tick)

    def quantity_steps(self, quantity: Decimal) -> int:
        """Return how many whole steps fit into `quantity`."""
        return int(quantity // self.step)

    def quantity(self, steps: int) -> Decimal:
        """Return the quantity of that many steps, exact, in base."""
        return multiply(Decimal(steps), self.step)

    def orderable_part(self, quantity: Decimal) -> Decimal:
        """Return the largest quantity on the step grid that is not more than `quantity`."""
        return self.quantity(self.quantity_steps(quantity))

    def is_orderable(self, price: Decimal, quantity: Decimal) -> bool:
        """Say whether an order of that size passes the venue's minimums."""
        return quantity > 0 and quantity >= self.min_quantity and multiply(price, quantity) >= self.min_notional
