"""The journal: candles counted, decisions and the account over time."""

from __future__ import annotations

from sqlalchemy import Connection, Insert, case, func, select

from vela.adapters.storage.sql.database import Prepared, insert_into, transaction, upsert_into
from vela.adapters.storage.sql.known_symbols import KnownSymbols
from vela.adapters.storage.sql.rows import Values
from vela.adapters.storage.sql.schema import account_meta, candle_faults, candles_index, decisions, wallets
from vela.ports.record import CandleCount, JournalEntry

CURSOR = "journal.cursor"
BEGUN = "journal.begun"


class SqlJournal:
    """`Journal` over a connection made for `Purpose.JOURNAL`.

    The cursor moves in the same transaction as what it stands for, so an entry is in with all its parts or not at all.
    Candles are counts, not rows: they are added only when the entry's newest round was not counted before. Whoever
    starts again after a crash therefore gathers from `begun()` on; a stretch that is handed in once more changes
    nothing.
    """

    def __init__(self, connection: Connection) -> None:
        """Prepare the statements; the connection stays the caller's to close."""
        self._connection = connection
        self._symbols = KnownSymbols(connection)
        insert_decision = insert_into(connection, decisions).on_conflict_do_nothing()
        self._insert_decision = Prepared(connection, insert_decision, decisions.columns.keys())
        self._upsert_wallet = Prepared(connection, upsert_into(connection, wallets), wallets.columns.keys())
        self._upsert_meta = Prepared(connection, upsert_into(connection, account_meta), account_meta.columns.keys())
        self._add_candles = Prepared(connection, _add_candles(connection), candles_index.columns.keys())
        self._add_faults = Prepared(connection, _add_faults(connection), candle_faults.columns.keys())
        self._reached = select(account_meta.c.key, account_meta.c.value).where(account_meta.c.key.in_((CURSOR, BEGUN)))

    async def cursor(self) -> int | None:
        """Return the time (ms UTC) up to which the journal is complete, or None for a new record.

        Raises:
            StorageError: the record cannot be read.
        """
        with transaction(self._connection):
            return self._stored().get(CURSOR)

    async def begun(self) -> int | None:
        """Return the time (ms UTC) of the newest round whose candles are counted, or None for a new record.

        Raises:
            StorageError: the record cannot be read.
        """
        with transaction(self._connection):
            return max(self._stored().values(), default=None)

    async def append(self, entry: JournalEntry) -> None:
        """Write `entry` in one transaction; decisions and candles that are already there are left as they are.

        Raises:
            StorageError: nothing was written.
        """
        connection = self._connection
        with transaction(connection):
            stored = self._stored()
            begun = entry.cursor if entry.begun is None else entry.begun
            counted = entry.candles if begun > max(stored.values(), default=begun - 1) else ()
            met = {decision.symbol for decision in entry.decisions} | {count.symbol for count in counted}
            added = self._symbols.add(met)
            self._insert_decision.run_records(entry.decisions)
            # One statement may not touch a row twice on PostgreSQL: of one time only the last wallet is sent.
            newest = {wallet.time: wallet for wallet in entry.wallets}
            self._upsert_wallet.run_records(list(newest.values()))
            self._add_candles.run([_candles_row(count) for count in counted])
            self._add_faults.run([row for count in counted for row in _fault_rows(count)])
            reached = {CURSOR: entry.cursor} | ({} if entry.begun is None else {BEGUN: entry.begun})
            news = {key: time for key, time in reached.items() if time > stored.get(key, time - 1)}
            self._upsert_meta.run([{"key": key, "value": str(time)} for key, time in news.items()])
        self._symbols.remember(added)

    def _stored(self) -> dict[str, int]:
        return {row.key: int(row.value) for row in self._connection.execute(self._reached)}


def _add_candles(connection: Connection) -> Insert:
    statement = insert_into(connection, candles_index)
    old, new = candles_index.c, statement.excluded
    return statement.on_conflict_do_update(
        index_elements=[old.symbol],
        set_={
            "first": case((old.first <= new.first, old.first), else_=func.coalesce(new.first, old.first)),
            "last": case((old.last >= new.last, old.last), else_=func.coalesce(new.last, old.last)),
            "count": old.count + new.count,
            "missing": old.missing + new.missing,
        },
    )


def _add_faults(connection: Connection) -> Insert:
    statement = insert_into(connection, candle_faults)
    total = candle_faults.c.count + statement.excluded.count
    return statement.on_conflict_do_update(index_elements=list(candle_faults.primary_key), set_={"count": total})


def _candles_row(count: CandleCount) -> Values:
    first, last = (count.first, count.last) if count.accepted else (None, None)
    return {
        "symbol": count.symbol,
        "first": first,
        "last": last,
        "count": count.accepted,
        "missing": count.missing,
    }


def _fault_rows(count: CandleCount) -> list[Values]:
    return [{"symbol": count.symbol, "fault": fault, "count": number} for fault, number in count.refused.items()]
