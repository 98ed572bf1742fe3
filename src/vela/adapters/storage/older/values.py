"""Reads values of the older system, in whatever form it left them. Each reader says in a word why it cannot."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

import msgspec

from vela.domain.assets import is_valid_asset_name
from vela.domain.errors import MoneyError, SymbolError
from vela.domain.money import exact
from vela.domain.trading_symbol import TradingSymbol, restored_symbol

Raw = str | bytes | int | float | None

LATEST_MS: Final = 7_258_118_400_000  # 2200-01-01
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_DIGITS: Final = 30  # before and after the point: beyond any amount
# How many of it make a second; from the largest number that can be a time in it.
_UNITS: Final = ((100_000_000_000, 1), (100_000_000_000_000, 1_000), (100_000_000_000_000_000, 1_000_000))
_NANOSECONDS: Final = 1_000_000_000


class UnusableValue(ValueError):
    """A value that cannot be used; the message begins with what it was."""


def read_symbol(value: Raw) -> TradingSymbol:
    """Read a symbol: short (BTC), long (BTCUSDT), with a separator, or JSON with base, quote and perhaps full.

    Raises:
        UnusableValue: it is none.
    """
    if not isinstance(value, str):
        raise UnusableValue(f"symbol was {shown(value)}, no text")
    try:
        if value.lstrip().startswith("{"):
            return _symbol_of(msgspec.json.decode(value, type=dict[str, str]))
        return TradingSymbol.from_str(value)
    except (SymbolError, msgspec.MsgspecError) as error:
        raise UnusableValue(f"symbol: {error}") from error


def _symbol_of(parts: Mapping[str, str]) -> TradingSymbol:
    parts = {name.lower(): _upper(text) for name, text in parts.items()}
    if "base" not in parts or "quote" not in parts:
        raise SymbolError('a symbol as JSON has "base" and "quote"')
    # Both are named: nothing is guessed, even if the asset was never seen here.
    symbol = restored_symbol({"XBT": "BTC"}.get(parts["base"], parts["base"]), parts["quote"])
    full = parts.get("full", symbol.to_long())
    if full not in {symbol.to_long(), parts["base"] + parts["quote"], symbol.to_ccxt()}:
        raise SymbolError(f"{full[:40]!r} is not {symbol.to_long()}, which base and quote say")
    return symbol


def read_asset(value: Raw) -> str:
    """Read an asset's name, or the base of a symbol.

    Raises:
        UnusableValue: it is none.
    """
    if not isinstance(value, str):
        raise UnusableValue(f"asset was {shown(value)}, no text")
    name = _upper(value)
    try:
        return read_symbol(value).base
    except UnusableValue:
        if is_valid_asset_name(name):
            return name
    raise UnusableValue(f"asset was {shown(value)}, no name of one")


def _upper(text: str) -> str:
    # Only ASCII has cases here: other letters must not turn into Latin ones.
    return text.strip().upper() if text.isascii() else text.strip()


def read_amount(value: Raw) -> Decimal:
    """Read a number; a float is taken as the shortest decimal that means it, which is what was once written.

    Raises:
        UnusableValue: it is none, not finite, or beyond any amount.
    """
    if isinstance(value, bytes) or value is None:
        raise UnusableValue(f"{shown(value)} is no number")
    try:
        amount = exact(repr(value) if isinstance(value, float) else value.strip() if isinstance(value, str) else value)
    except MoneyError as error:
        raise UnusableValue(str(error).partition(";")[0]) from error
    exponent = amount.as_tuple().exponent
    if amount.adjusted() > _MOST_DIGITS or (isinstance(exponent, int) and exponent < -_MOST_DIGITS):
        raise UnusableValue(f"{shown(value)} is beyond any amount")
    return amount


def read_positive(value: Raw) -> Decimal:
    """Read a number above zero.

    Raises:
        UnusableValue: it is none.
    """
    amount = read_amount(value)
    if amount <= 0:
        raise UnusableValue(f"{shown(value)} is not above zero")
    return amount


def read_time(value: Raw) -> int:
    """Read a time as ms UTC: a number of seconds, milliseconds, microseconds or nanoseconds, or ISO 8601 (UTC if bare).

    Raises:
        UnusableValue: it is none between 1970 and 2200.
    """
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value.strip())
        except ValueError:
            moment = None
        # 20240131 is a date to people.
        if moment is not None and not (value.strip().isdigit() and len(value.strip()) != 8):
            moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
            return _in_range((moment - _EPOCH) // timedelta(milliseconds=1), value)
    try:
        number = read_amount(value)
    except UnusableValue:
        raise UnusableValue(f"time was {shown(value)}") from None
    per_second = next((unit for most, unit in _UNITS if number < most), _NANOSECONDS)
    return _in_range(int(number * 1000 / per_second), value)


def _in_range(time: int, value: Raw) -> int:
    if not 0 < time < LATEST_MS:
        raise UnusableValue(f"time was {shown(value)}, not between 1970 and 2200")
    return time


def read_word(value: Raw) -> str:
    """Read a short text.

    Raises:
        UnusableValue: it is none.
    """
    if not isinstance(value, str) or not value.strip():
        raise UnusableValue(f"{shown(value)} is no text")
    return value.strip()


def shown(value: Raw) -> str:
    """Return a value for a message."""
    text = "nothing" if value is None else repr(value)
    return text if len(text) <= 42 else text[:41] + "…"
