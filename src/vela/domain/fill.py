"""An execution of (a part of) an order."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from vela.domain.errors import OrderError
from vela.domain.money import multiply
from vela.domain.order import Side
from vela.domain.trading_symbol import TradingSymbol


class Fill(msgspec.Struct, frozen=True):
    """What the venue executed, in its own words.

    Attributes:
        fill_id: the venue's id, unique per venue.
        client_order_id: the order it belongs to.
        symbol, side: as in the order.
        price: quote per base.
        quantity: base.
        fee: what the venue took, in `fee_asset`; negative for a rebate.
        fee_asset: asset of the fee.
        time: ms UTC at the venue.
    """

    fill_id: str
    client_order_id: str
    symbol: TradingSymbol
    side: Side
    price: Decimal
    quantity: Decimal
    fee: Decimal
    fee_asset: str
    time: int

    def __post_init__(self) -> None:
        for name, value in (("price", self.price), ("quantity", self.quantity)):
            if not value.is_finite() or value <= 0:
                raise OrderError(f"{name} of fill {self.fill_id} was {value}; accepted: a number above 0")
        if not self.fee.is_finite():
            raise OrderError(f"fee of fill {self.fill_id} was {self.fee}; accepted: a finite number")

    @property
    def value(self) -> Decimal:
        """Price × quantity, exact, in quote."""
        return multiply(self.price, self.quantity)
