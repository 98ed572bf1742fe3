"""Which tables and columns the older system may have, under which names, and what becomes of a row."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from sqlalchemy import Table

from vela.adapters.storage.older.values import (
    Raw,
    UnusableValue,
    read_amount,
    read_asset,
    read_positive,
    read_symbol,
    read_time,
    read_word,
    shown,
)
from vela.adapters.storage.sql.schema import market_snapshots, older_signals, older_trades, older_wallets

_encode: Final = msgspec.json.Encoder(order="sorted").encode


@dataclass(frozen=True, slots=True)
class Field:
    """A value that is looked for.

    Attributes:
        name: of our column.
        read: makes the value, or raises `UnusableValue`.
        names: of the older system's columns that may hold it, the best first; in any case of letters.
        required: whether a row without it is left out.
        default: for a table that has none of these columns.
    """

    name: str
    read: Callable[[Raw], Any]
    names: tuple[str, ...]
    required: bool = True
    default: str | None = None


@dataclass(frozen=True, slots=True)
class OlderTable:
    """A table. `names`: what it may be called there; `table`: where its rows go."""

    names: tuple[str, ...]
    table: Table
    fields: tuple[Field, ...]

    @property
    def into(self) -> str:
        """The name of our table."""
        return str(self.table.name)


def _one_of(*words: str) -> Callable[[Raw], str]:
    def read(value: Raw) -> str:
        word = read_word(value).upper()
        if word not in words:
            raise UnusableValue(f"{shown(value)} is none of {', '.join(words)}")
        return word

    return read


def _at_least_zero(value: Raw) -> Any:  # noqa: ANN401  a Decimal, as the others
    amount = read_amount(value)
    if amount < 0:
        raise UnusableValue(f"{shown(value)} is below zero")
    return amount


_SYMBOL = Field("symbol", read_symbol, ("symbol", "pair", "trading_pair", "market", "ticker"))
_TIME = Field("time", read_time, ("timestamp", "time", "ts", "datetime", "date", "created_at", "executed_at"))
_STRATEGY = Field("strategy", read_word, ("strategy", "strategy_name", "source_strategy"), required=False)
_PRICES = ("price", "executed_price", "fill_price", "entry_price", "last_price", "last", "close")

TABLES: Final = (
    OlderTable(
        ("trades", "trade"),
        older_trades,
        (
            _SYMBOL,
            _TIME,
            Field("side", _one_of("BUY", "SELL", "LONG", "SHORT"), ("side", "type", "action", "direction")),
            Field("price", read_positive, _PRICES),
            Field("quantity", read_positive, ("quantity", "qty", "size", "amount")),
            Field("fee", read_amount, ("fee", "fees", "commission"), required=False),
            Field("pnl", read_amount, ("pnl", "realized_pnl", "realised_pnl", "profit", "profit_loss"), required=False),
            _STRATEGY,
        ),
    ),
    OlderTable(
        ("signals", "signal"),
        older_signals,
        (
            _SYMBOL,
            _TIME,
            Field(
                "action",
                _one_of("BUY", "SELL", "HOLD"),
                ("action", "signal", "side", "decision", "signal_type", "type"),
            ),
            Field("price", read_positive, _PRICES, required=False),
            Field("confidence", read_amount, ("confidence", "strength", "score"), required=False),
            _STRATEGY,
        ),
    ),
    OlderTable(
        ("wallet", "wallets"),
        older_wallets,
        (
            _TIME,
            Field("asset", read_asset, ("asset", "currency", "coin", "symbol"), default="USDT"),
            Field("amount", read_amount, ("balance", "amount", "total", "quantity", "free", "cash", "value")),
        ),
    ),
    OlderTable(
        ("market_snapshots", "market_snapshot", "snapshots"),
        market_snapshots,
        (
            _SYMBOL,
            _TIME,
            Field("price", read_positive, ("price", "last_price", "last", "close")),
            Field("volume", _at_least_zero, ("volume", "volume_24h"), required=False),
        ),
    ),
)


class Reader:
    """Makes rows of a table's rows. What no field takes goes along under `rest`, as it was."""

    def __init__(self, table: OlderTable, columns: Sequence[str]) -> None:
        """Choose of `columns`, those that are there, which one each field is read from.

        Raises:
            UnusableValue: there is none for a field that every row needs.
        """
        by_name = {column.lower(): column for column in reversed(columns)}
        self._columns = columns
        self._fields: list[tuple[Field, str | None]] = []
        for field in table.fields:
            column = next((by_name[name] for name in field.names if name in by_name), None)
            if column is None and field.required and field.default is None:
                raise UnusableValue(f"no column for {field.name}; accepted: {', '.join(field.names)}")
            self._fields.append((field, column))
        self._used = {column for _, column in self._fields if column is not None}

    @property
    def chosen(self) -> dict[str, str | None]:
        """Which column each field is read from; None: it has none."""
        return {field.name: column for field, column in self._fields}

    def row(self, values: Sequence[Raw]) -> dict[str, Any]:
        """Return our row, without its key.

        Raises:
            UnusableValue: it cannot be used, and why.
        """
        given: Mapping[str, Raw] = dict(zip(self._columns, values, strict=True))
        for name, value in given.items():
            if isinstance(value, str) and any("\ud800" <= letter <= "\udfff" for letter in value):
                raise UnusableValue(f"{name}: its text is no UTF-8")
        row = {field.name: _read(field, column, given) for field, column in self._fields}
        plain = {name: _plain(value) for name, value in given.items() if value is not None}
        row["rest"] = {name: value for name, value in plain.items() if name not in self._used}
        row["digest"] = hashlib.sha256(_encode(plain)).hexdigest()[:32]
        return row


def _read(field: Field, column: str | None, given: Mapping[str, Raw]) -> Any:  # noqa: ANN401  any column's value
    if column is None:
        return field.default
    if given[column] is None and not field.required:
        return None
    try:
        return field.read(given[column])
    except UnusableValue as error:
        raise UnusableValue(f"{column}: {error}") from error


def _plain(value: Raw) -> object:
    """Return a value that JSON keeps as it is."""
    if isinstance(value, bytes):
        return {"hex": value.hex()}
    return repr(value) if isinstance(value, float) and not math.isfinite(value) else value
