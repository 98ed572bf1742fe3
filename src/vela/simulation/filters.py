"""What an order must look like at the pretend market: on the grids and above the minimums.

The text of a refusal begins with its code: `step`, `min_quantity`, `tick` or `min_notional`.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from vela.domain.errors import OrderRefused
from vela.domain.instrument import Instrument
from vela.domain.money import multiply


def check_quantity(name: str, quantity: Decimal, instrument: Instrument) -> None:
    """Check an order's quantity (base); `name` is for the message.

    Raises:
        OrderRefused: it is off the grid of steps or below the minimum.
    """
    if not _is_on_grid(quantity, instrument.step):
        raise OrderRefused(f"step: quantity {quantity} of {name}; accepted: whole multiples of {instrument.step}")
    if quantity < instrument.min_quantity:
        raise OrderRefused(f"min_quantity: {quantity} of {name}; accepted: {instrument.min_quantity} or more")


def check_price(name: str, price: Decimal, instrument: Instrument) -> None:
    """Check a limit or stop price (quote per base).

    Raises:
        OrderRefused: it is off the grid of ticks.
    """
    if not _is_on_grid(price, instrument.tick):
        raise OrderRefused(f"tick: price {price} of {name}; accepted: whole multiples of {instrument.tick}")


def check_notional(name: str, price: Decimal, quantity: Decimal, instrument: Instrument) -> None:
    """Check an order's value.

    Raises:
        OrderRefused: price × quantity is below the minimum.
    """
    if multiply(price, quantity) < instrument.min_notional:
        raise OrderRefused(f"min_notional: {name} at {price}; accepted: a value of {instrument.min_notional} or more")


def _is_on_grid(value: Decimal, grid: Decimal) -> bool:
    try:
        return not value % grid
    except InvalidOperation:  # more grid steps than Decimal can count
        return False
