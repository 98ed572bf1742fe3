"""Exact decimal arithmetic: a result that would have to be rounded is an error, never a silent loss."""

from __future__ import annotations

from decimal import (
    ROUND_DOWN,
    Context,
    Decimal,
    DivisionByZero,
    Inexact,
    InvalidOperation,
    Overflow,
    Subnormal,
    Underflow,
)
from functools import reduce

from vela.domain.errors import MoneyError

ZERO = Decimal(0)

# 60 digits hold price × quantity × fee rate of every listed asset with room to spare; beyond them the trap fires.
_EXACT = Context(
    prec=60,
    traps=[InvalidOperation, DivisionByZero, Inexact, Overflow, Underflow, Subnormal],
)
# For the one division that is booked: what it rounds off stays with the rest.
_WIDE = Context(prec=60, rounding=ROUND_DOWN)


def exact(value: str | int | Decimal) -> Decimal:
    """Return `value` as a finite decimal, digit for digit.

    Raises:
        MoneyError: the value is no finite number, or is a float (which has already lost its digits).
    """
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise MoneyError(f"money was {type(value).__name__}; accepted: a decimal number as text, int or Decimal")
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise MoneyError(f"{str(value)[:40]!r} is no number; accepted: a decimal number such as 12.50") from None
    if not number.is_finite():
        raise MoneyError(f"{str(value)[:40]!r} is not finite; accepted: a decimal number such as 12.50")
    return number


def add(*terms: Decimal) -> Decimal:
    """Return the exact sum.

    Raises:
        decimal.Inexact: the sum needs more than 60 digits.
    """
    return reduce(_EXACT.add, terms, ZERO)


def subtract(minuend: Decimal, subtrahend: Decimal) -> Decimal:
    """Return the exact difference.

    Raises:
        decimal.Inexact: the difference needs more than 60 digits.
    """
    return _EXACT.subtract(minuend, subtrahend)


def multiply(*factors: Decimal) -> Decimal:
    """Return the exact product.

    Raises:
        decimal.Inexact: the product needs more than 60 digits.
    """
    return reduce(_EXACT.multiply, factors, Decimal(1))


def pro_rata(amount: Decimal, part: Decimal, whole: Decimal) -> Decimal:
    """Return amount × part / whole for a part of the whole, rounded towards zero to 18 decimals."""
    return _WIDE.quantize(_WIDE.divide(multiply(amount, part), whole), Decimal("1E-18"))


def ratio(numerator: Decimal, denominator: Decimal) -> Decimal:
    """Return the quotient, to 28 digits: for prices and percentages that are shown, never for what is booked."""
    return numerator / denominator


def plain(value: Decimal) -> str:
    """Write `value` without exponent and without trailing zeros: `0.05`, `1000`, `0`."""
    if not value:
        return "0"
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
