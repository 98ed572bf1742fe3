"""Reads single values of messages from outside, strictly: what is no such value is an error, never a guess."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from vela.domain.errors import MoneyError
from vela.domain.money import exact

# From 2001 to 2286: seconds and microseconds lie far outside.
_FIRST_MS, _LAST_MS = 10**12, 10**13


class MessageError(Exception):
    """A message does not hold what it must. What that means depends on what was asked: see `errors.translated`."""


def moment(message: Mapping[str, Any], name: str) -> int:
    """Return a time in ms UTC.

    Raises:
        MessageError: it is none, or in another unit.
    """
    value = message.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not _FIRST_MS <= value < _LAST_MS:
        raise MessageError(f"{name} was {str(value)[:40]}; accepted: a time in ms since 1970")
    return value


def market_number(message: Mapping[str, Any], name: str) -> float:
    """Return a finite number of the market, 0 or more.

    Raises:
        MessageError: it is none.
    """
    try:
        number = float(message[name])
    except (KeyError, TypeError, ValueError):
        number = math.nan
    if not (math.isfinite(number) and number >= 0.0):
        raise MessageError(f"{name} was {str(message.get(name))[:40]}; accepted: a number, 0 or more")
    return number


def money(message: Mapping[str, Any], name: str) -> Decimal:
    """Return an exact amount, which may be below zero.

    Raises:
        MessageError: it is none.
    """
    try:
        return exact(message[name])
    except (KeyError, MoneyError):
        raise MessageError(f"{name} was {str(message.get(name))[:40]}; accepted: an exact number as text") from None


def quantity(message: Mapping[str, Any], name: str) -> Decimal:
    """Return an exact amount, 0 or more.

    Raises:
        MessageError: it is none.
    """
    amount = money(message, name)
    if amount < 0:
        raise MessageError(f"{name} was {str(amount)[:40]}; accepted: 0 or more")
    return amount


def offer(row: object) -> tuple[Decimal, Decimal]:
    """Return price and quantity of a level of a book: market data, nothing is booked by them.

    Raises:
        MessageError: it is none.
    """
    if not isinstance(row, list | tuple) or len(row) < len(("price", "quantity")):
        raise MessageError(f"a level of the book was {str(row)[:40]}; accepted: price and quantity")
    level = {"price": row[0], "quantity": row[1]}
    return Decimal(repr(market_number(level, "price"))), Decimal(repr(market_number(level, "quantity")))


def text(message: Mapping[str, Any], name: str) -> str:
    """Return a text or a whole number as text, not empty.

    Raises:
        MessageError: there is none.
    """
    value = message.get(name)
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
        raise MessageError(f"{name} was {str(value)[:40]!r}; accepted: text or a whole number")
    return str(value)
