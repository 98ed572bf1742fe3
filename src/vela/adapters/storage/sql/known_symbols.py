"""The table of symbols, which all others refer to."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection

from vela.adapters.storage.sql.database import insert_into
from vela.adapters.storage.sql.rows import symbol_row
from vela.adapters.storage.sql.schema import symbols
from vela.domain.trading_symbol import TradingSymbol


class KnownSymbols:
    """Adds symbols to the table when they are met for the first time."""

    def __init__(self, connection: Connection) -> None:
        """Begin without knowing any: the first sight of a symbol asks the database."""
        self._connection = connection
        self._insert = insert_into(connection, symbols).on_conflict_do_nothing()
        self._known: set[TradingSymbol] = set()

    def add(self, met: Iterable[TradingSymbol]) -> frozenset[TradingSymbol]:
        """Write those not known yet, inside the caller's transaction; `remember` them once it is committed."""
        new = frozenset(met) - self._known
        if new:
            self._connection.execute(self._insert, [symbol_row(symbol) for symbol in sorted(new)])
        return new

    def remember(self, added: frozenset[TradingSymbol]) -> None:
        """Do not write these again."""
        self._known |= added
