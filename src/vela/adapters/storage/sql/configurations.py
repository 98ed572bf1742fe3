"""What the account was traded by, and since when."""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection, delete, func, insert, select

from vela.adapters.storage.sql.database import transaction
from vela.adapters.storage.sql.known_symbols import KnownSymbols
from vela.adapters.storage.sql.schema import strategy_configs, trading_rules
from vela.domain.instrument import Instrument
from vela.engine.configuration import Configuration, SymbolConfiguration


class SqlConfigurations:
    """Configurations by the moment from which they hold; the newest is the one in force."""

    def __init__(self, connection: Connection) -> None:
        """Read and write over `connection`, which stays the caller's to close."""
        self._connection = connection
        self._symbols = KnownSymbols(connection)

    def newest(self) -> Configuration | None:
        """Return the one in force, or None in a new record.

        Raises:
            StorageError: the record cannot be read.
        """
        newest = select(func.max(trading_rules.c.since)).scalar_subquery()
        of_symbols = select(strategy_configs).where(strategy_configs.c.since == newest)
        with transaction(self._connection):
            account = self._connection.execute(select(trading_rules).where(trading_rules.c.since == newest)).first()
            rows = self._connection.execute(of_symbols.order_by(strategy_configs.c.symbol)).all()
        if account is None:
            return None
        symbols = tuple(
            SymbolConfiguration(
                Instrument(row.symbol, row.tick, row.step, row.min_notional, row.min_quantity), row.strategy, row.params
            )
            for row in rows
        )
        return Configuration(account.since, account.rules, symbols)

    def keep(self, configuration: Configuration) -> None:
        """Write what holds from now on; nothing, if that is what holds already.

        Raises:
            StorageError: nothing was written.
        """
        newest, since = self.newest(), configuration.since
        if newest is not None and msgspec.structs.replace(newest, since=since) == configuration:
            return
        rows = [
            {
                "since": since,
                "symbol": one.instrument.symbol,
                "strategy": one.strategy,
                "params": one.params,
                **{name: getattr(one.instrument, name) for name in ("tick", "step", "min_notional", "min_quantity")},
            }
            for one in configuration.symbols
        ]
        with transaction(self._connection):
            # Nothing was decided by what was to hold from the same moment on.
            for table in (strategy_configs, trading_rules):
                self._connection.execute(delete(table).where(table.c.since == since))
            self._symbols.add(one.instrument.symbol for one in configuration.symbols)
            self._connection.execute(insert(trading_rules), {"since": since, "rules": configuration.rules})
            self._connection.execute(insert(strategy_configs), rows)
