"""Column types that carry the domain's values: symbols, exact decimals, enumerations, JSON."""

# ruff: noqa: ARG002  SQLAlchemy calls with the dialect, needed or not
from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from enum import Enum
from typing import Any, Generic, TypeVar

import msgspec
from sqlalchemy import Dialect, Numeric, Text
from sqlalchemy.types import TypeDecorator, TypeEngine, UserDefinedType

from vela.domain.codec import decode_hook, encode_hook
from vela.domain.errors import MoneyError
from vela.domain.trading_symbol import TradingSymbol, restored_symbol

# Far beyond any amount; a slip such as 1E+999999 would be written out as a million digits.
_MAX_EXPONENT = 100
_MAX_DIGITS = 1_000

_Value = TypeVar("_Value")
_Member = TypeVar("_Member", bound=Enum)


class PlainText(TypeDecorator[str]):
    """Text that sorts by code point on every database.

    PostgreSQL knows no NUL: there it becomes U+FFFD, because what a venue writes must not stop anything.
    """

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return text that sorts by code point."""
        return Text(collation="C") if dialect.name == "postgresql" else Text()

    def bind_processor(self, dialect: Dialect) -> Callable[[str | None], str | None] | None:
        """Return what replaces NUL, where that is needed."""
        return _without_nul if dialect.name == "postgresql" else None


def _without_nul(value: str | None) -> str | None:
    return value.replace("\0", "\ufffd") if value and "\0" in value else value


class _Json(UserDefinedType[str]):
    cache_ok = True

    def get_col_spec(self, **_options: object) -> str:
        return "JSON"


class TradingSymbolType(TypeDecorator[TradingSymbol]):
    """A trading symbol, stored as base/quote (`BTC/USDT`), whatever its short form is.

    Equality, joins and order in SQL are those of the value: `/` sorts before every character that an asset's name may
    hold, so the order of the texts is the order by base, then quote. Only `TradingSymbol` values can be bound; text
    raises a `TypeError` (wrapped in SQLAlchemy's `StatementError`).
    """

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return text that sorts by code point on every database."""
        return Text(collation="C") if dialect.name == "postgresql" else Text()

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], str | None]:
        """Return what writes base/quote."""
        return _base_and_quote

    def process_result_value(self, value: str | None, dialect: Dialect) -> TradingSymbol | None:
        """Read base/quote."""
        if value is None:
            return None
        base, _, quote = value.partition("/")
        return restored_symbol(base, quote)


def _base_and_quote(value: object) -> str | None:
    if isinstance(value, TradingSymbol):
        return value.to_ccxt()
    if value is None:
        return None
    raise TypeError(
        f"a symbol column takes a TradingSymbol, not {type(value).__name__} {str(value)[:40]!r}; "
        "TradingSymbol.from_str() reads text"
    )


class ExactDecimal(TypeDecorator[Decimal]):
    """Money and quantities: TEXT on SQLite, NUMERIC on PostgreSQL; never a floating-point column.

    What was written comes back digit for digit, in plain notation. On SQLite the text does not sort or compare as a
    number. NaN, infinities, floats and all other types raise a `MoneyError` (wrapped in SQLAlchemy's `StatementError`).
    """

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the database's exact type."""
        return dialect.type_descriptor(Numeric() if dialect.name == "postgresql" else Text())

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], str | None]:
        """Return what checks a number and writes it in plain notation."""
        return _plain_number

    def process_result_value(self, value: str | Decimal | None, dialect: Dialect) -> Decimal | None:
        """Read the number."""
        return None if value is None else Decimal(value)


def _plain_number(value: object) -> str | None:
    if isinstance(value, Decimal) and value.is_finite():
        text = str(value)
        if value and "E" not in text and len(text) <= _MAX_EXPONENT:
            return text
        number = value or abs(value)  # no negative zero
        if -_MAX_EXPONENT <= number.adjusted() <= _MAX_EXPONENT:
            text = f"{number:f}"  # by far slower, and seldom needed
            if len(text) <= _MAX_DIGITS:
                return text
    if value is None:
        return None
    raise MoneyError(f"{type(value).__name__} {str(value)[:40]!r} is no amount; accepted: a finite Decimal")


class EnumText(TypeDecorator[_Member], Generic[_Member]):
    """A member of an enumeration, stored as its value."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return text that sorts by code point on every database."""
        return Text(collation="C") if dialect.name == "postgresql" else Text()

    def __init__(self, members: type[_Member]) -> None:
        """Take the enumeration whose members the column holds."""
        super().__init__()
        self.members = members

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], str | None]:
        """Return what writes a member's value."""
        members = self.members

        def write(value: object) -> str | None:
            if isinstance(value, members):
                text: str = value._value_  # `value` is a property, and this is called for every row
                return text
            if value is None:
                return None
            raise TypeError(f"the column takes a {members.__name__}, not {type(value).__name__} {value!r}")

        return write

    def process_result_value(self, value: str | None, dialect: Dialect) -> _Member | None:
        """Read the member."""
        return None if value is None else self.members(value)


class JsonText(TypeDecorator[_Value], Generic[_Value]):
    """A value as JSON, checked against its type when read. Numbers that JSON does not know are refused.

    TEXT on SQLite, JSON on PostgreSQL, whose functions read both; not JSONB, which keeps no number as it was written.
    """

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the database's type for JSON that is kept as it was written."""
        return _Json() if dialect.name == "postgresql" else Text()

    def __init__(self, kind: type[_Value]) -> None:
        """Take the type that is read back, such as `dict[str, float]`."""
        super().__init__()
        self.kind = kind
        self._encode = msgspec.json.Encoder(enc_hook=encode_hook).encode
        self._decode = msgspec.json.Decoder(kind, dec_hook=decode_hook).decode

    def process_bind_param(self, value: _Value | None, dialect: Dialect) -> str | None:
        """Write JSON."""
        if value is None:
            return None
        text = self._encode(value)
        if b"null" in text:  # msgspec's word for NaN and infinity
            self._decode(text)
        return text.decode()

    def process_result_value(self, value: object, dialect: Dialect) -> _Value | None:
        """Read JSON, or check what PostgreSQL's driver read."""
        if value is None:
            return None
        return (
            self._decode(value) if isinstance(value, str) else msgspec.convert(value, self.kind, dec_hook=decode_hook)
        )
