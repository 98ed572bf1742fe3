"""Whether every symbol of a database can be read, before a migration touches anything."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import ColumnClause, Connection, column, func, inspect, select, table

from vela.domain.errors import StorageError, SymbolError
from vela.domain.trading_symbol import restored_symbol

_SYMBOL: Final = "symbol"
_ROWS_NAMED: Final = 5
_ACCEPTED: Final = "accepted: base/quote, such as BTC/USDT"


def require_readable_symbols(connection: Connection) -> None:
    """Look at every symbol column there is, inside the caller's transaction, whatever the schema's version.

    Raises:
        StorageError: a symbol cannot be read; the message names the rows, at most five of each table.
    """
    found = [row for name in _tables(connection) for row in _unreadable_rows(connection, name)]
    if found:
        raise StorageError(f"nothing was migrated: {'; '.join(found)}; {_ACCEPTED}")


def _is_readable(text: str) -> bool:
    base, _, quote = text.partition("/")
    try:
        restored_symbol(base, quote)
    except SymbolError:
        return False
    return True


def _tables(connection: Connection) -> list[str]:
    inspector = inspect(connection)
    return [
        name
        for name in sorted(inspector.get_table_names())
        if any(one["name"] == _SYMBOL for one in inspector.get_columns(name))
    ]


def _unreadable_rows(connection: Connection, name: str) -> Iterator[str]:
    key: list[ColumnClause[Any]] = [
        column(one) for one in inspect(connection).get_pk_constraint(name)["constrained_columns"]
    ]
    symbol: ColumnClause[Any] = column(_SYMBOL)
    source = table(name, symbol, *key)
    values = connection.execute(select(symbol).select_from(source).distinct()).scalars()
    wrong = sorted(value for value in values if not _is_readable(str(value)))
    if not wrong:
        return
    is_wrong = symbol.in_(wrong)
    rows = connection.execute(
        select(*key, symbol).select_from(source).where(is_wrong).order_by(*key).limit(_ROWS_NAMED)
    ).all()
    for row in rows:
        where = ", ".join(f"{one.name} {value!r}" for one, value in zip(key, row, strict=False) if one.name != _SYMBOL)
        yield f"{name}{f' ({where})' if where else ''} holds the symbol {str(row[-1])[:40]!r}"
    total = connection.execute(select(func.count()).select_from(source).where(is_wrong)).scalar_one()
    if total > len(rows):
        yield f"{name} holds {total - len(rows):,} more"
