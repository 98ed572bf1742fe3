"""What a fill costs, whatever its fee was taken in.

A fee in quote is paid from cash. A fee in the base that was just bought is the same as having bought that much less and
paid its worth as a fee. A fee in any other asset is paid from what the account holds besides: its owner pays its worth
in, and it is spent at once.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from vela.domain.fill import Fill
from vela.domain.money import ZERO, multiply, subtract
from vela.domain.order import Side


def settled(fill: Fill) -> Fill:
    """Return the fill with its fee in quote where it was taken out of the base that was bought; else the fill itself.

    What is left is what came in: cash, cost and fees then add up as for any other purchase.
    """
    if not _is_taken_from_purchase(fill):
        return fill
    return msgspec.structs.replace(
        fill,
        quantity=subtract(fill.quantity, fill.fee),
        fee=multiply(fill.fee, fill.price),
        fee_asset=fill.symbol.quote.value,
    )


def fee_asset_of_owner(fill: Fill) -> str | None:
    """Return the asset of a fee that neither cash nor the purchase pays; None: there is no such fee."""
    is_elsewhere = fill.fee_asset != fill.symbol.quote.value and not _is_taken_from_purchase(fill)
    return fill.fee_asset if fill.fee and is_elsewhere else None


def worth(fee: Decimal, price: Decimal | None) -> Decimal:
    """Return a fee's worth in quote at `price` (quote per fee asset); 0 where there is no price."""
    return ZERO if price is None else multiply(fee, price)


def _is_taken_from_purchase(fill: Fill) -> bool:
    return bool(fill.fee) and fill.side is Side.BUY and fill.fee_asset == fill.symbol.base and fill.fee < fill.quantity
