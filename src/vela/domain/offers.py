"""What is offered in a market's book."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from vela.domain.money import ZERO, add, multiply, ratio, subtract


def average_price(offers: Iterable[tuple[Decimal, Decimal]], quantity: Decimal) -> Decimal | None:
    """Return the average price at which `quantity` (base, above 0) executes at once; None: not all of it does.

    Args:
        offers: price (quote per base) and quantity (base) of each level, best first.
        quantity: what is to be executed.
    """
    left, value = quantity, ZERO
    for price, offered in offers:
        taken = min(left, offered)
        left, value = subtract(left, taken), add(value, multiply(price, taken))
        if not left:
            return ratio(value, quantity)
    return None
