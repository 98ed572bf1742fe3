"""What trades on a spot market cost."""

from __future__ import annotations

from decimal import ROUND_DOWN, Context, Decimal

import msgspec

from vela.domain.errors import ConfigurationError
from vela.domain.execution_rules import fee
from vela.domain.money import ZERO, multiply, ratio
from vela.simulation.spot_orders import SpotRequest

_SMALLEST_AMOUNT = Decimal("1E-8")
_UNDISCOUNTED = Decimal("0.75")
_CUT = Context(prec=60, rounding=ROUND_DOWN)


class SpotFees(msgspec.Struct, frozen=True):
    """What trades cost.

    Attributes:
        maker: share of a trade of a resting order, above -1, below 1; below 0 it is a rebate.
        taker: share of any other trade, 0 or more, below 1.
        in_quote: always taken in quote; else in what is received: base of a purchase, quote of a sale.
        asset: taken in this one instead, 25 % less, as long as the account has enough of it.
        is_exact: never rounded; else cut to eight decimals, as venues do with all amounts.
    """

    maker: Decimal
    taker: Decimal
    in_quote: bool = False
    asset: str | None = None
    is_exact: bool = False

    def __post_init__(self) -> None:
        for name, rate, lowest in (("maker", self.maker, "above -1"), ("taker", self.taker, "0 or more")):
            if not rate.is_finite() or not -1 < rate < 1 or (rate < 0 and name == "taker"):
                raise ConfigurationError(f"{name} fee was {rate}; accepted: {lowest}, below 1")

    @property
    def on_top(self) -> Decimal:
        """The largest share that a purchase costs beyond its value in quote."""
        return max(self.maker, self.taker, ZERO) if self.in_quote else ZERO

    def of(self, request: SpotRequest, price: Decimal, quantity: Decimal, *, is_maker: bool) -> tuple[Decimal, str]:
        """Return a trade's fee and its asset."""
        rate = self.maker if is_maker else self.taker
        if request.is_buy and not self.in_quote:
            amount, asset = multiply(rate, quantity), request.symbol.base
        else:
            amount, asset = fee(rate, price, quantity), request.symbol.quote.value
        return amount if self.is_exact else amount.quantize(_SMALLEST_AMOUNT, context=_CUT), asset

    def discounted(self, price: Decimal, quantity: Decimal, asset_price: Decimal, *, is_maker: bool) -> Decimal:
        """Return what a trade costs in `asset`, whose price is given in the same quote; a rebate: nothing."""
        rate = max(self.maker if is_maker else self.taker, ZERO)
        amount = ratio(multiply(fee(rate, price, quantity), _UNDISCOUNTED), asset_price)
        return amount.quantize(_SMALLEST_AMOUNT, context=_CUT)
