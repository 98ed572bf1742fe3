"""The trading record: orders, fills, positions and the ledger, each step in one durable transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, Insert, Select, bindparam, delete, func, insert, select

from vela.adapters.storage.sql.database import Prepared, PreparedQuery, transaction, upsert_into
from vela.adapters.storage.sql.known_symbols import KnownSymbols
from vela.adapters.storage.sql.leases import SqlLease
from vela.adapters.storage.sql.outbox import SqlOutbox
from vela.adapters.storage.sql.rows import Values, fields, order_row, outcome_row, read_order, read_outcome
from vela.adapters.storage.sql.schema import (
    balances,
    entries,
    fills,
    ledger_entries,
    limit_marks,
    order_events,
    orders,
    positions,
    signals,
    trades,
)
from vela.domain.crashpoints import crashpoint
from vela.domain.errors import LedgerError
from vela.domain.money import ZERO, add, plain
from vela.domain.order import Order, OrderStatus
from vela.domain.position import Position
from vela.domain.signal import SignalOutcome
from vela.domain.trading_symbol import TradingSymbol
from vela.engine.ledger import NEVER_BELOW_ZERO, check_balanced
from vela.engine.restraints import MINUTE_MS
from vela.ports.record import AccountState, Changes, LedgerTransaction, LimitMarks

_OPEN = [status for status in OrderStatus if not status.is_final]
_NOTHING = Changes()
_SYMBOL_OF = attrgetter("symbol")


class SqlTradingRecord:
    """`TradingRecord` over a connection made for `Purpose.TRADING`."""

    def __init__(self, connection: Connection, lease: SqlLease, told_over: Connection | None = None) -> None:
        """Prepare the statements; connections stay the caller's to close.

        Args:
            connection: made for `Purpose.TRADING`.
            lease: checked by every transaction.
            told_over: what the outbox is emptied over; None: the same. What was passed on and is there again after a
                power cut is passed on once more, so it need not wait for the disk.
        """
        self._connection = connection
        self._fence = lease.fence(connection)
        self._outbox = SqlOutbox(connection)
        self._emptied = SqlOutbox(told_over or connection)
        self._symbols = KnownSymbols(connection)
        self._upsert = {
            table: Prepared(connection, upsert_into(connection, table), table.columns.keys())
            for table in (orders, positions, balances, entries, limit_marks)
        }
        self._insert = {
            table: Prepared(connection, insert(table), table.columns.keys())
            for table in (fills, ledger_entries, signals)
        }
        self._insert_trade = Prepared(connection, insert(trades), set(trades.columns.keys()) - {"id"})
        self._insert_event = Prepared(connection, _insert_event(), ("status", "time", "filled_quantity", "reason"))
        self._delete_position = Prepared(connection, delete(positions).where(positions.c.symbol == bindparam("closed")))
        self._balances = PreparedQuery(connection, select(balances).where(balances.c.asset == bindparam("asset")))
        self._outcome = select(signals).where(
            signals.c.candle_time == bindparam("candle_time"),
            signals.c.symbol == bindparam("symbol"),
            signals.c.strategy == bindparam("strategy"),
        )

    @property
    def outbox(self) -> SqlOutbox:
        """See `TradingRecord.outbox`."""
        return self._emptied

    async def load(self) -> AccountState:
        """Return the account as it was last committed.

        Raises:
            StorageError: the record cannot be read.
        """
        execute = self._connection.execute
        with transaction(self._connection):
            live = select(orders).where(orders.c.status.in_(_OPEN)).order_by(orders.c.created_time, *orders.primary_key)
            return AccountState(
                orders=tuple(map(read_order, execute(live))),
                positions=tuple(
                    Position(**row._asdict()) for row in execute(select(positions).order_by(positions.c.symbol))
                ),
                balances={
                    (row.account, row.asset): row.amount
                    for row in execute(select(balances).order_by(balances.c.account, balances.c.asset))
                },
                entries={row.symbol: row.time for row in execute(select(entries).order_by(entries.c.symbol))},
                handled_until=execute(select(func.coalesce(func.max(signals.c.candle_time), -1))).scalar_one(),
                booked=self._booked(),
                limit_marks=read_limit_marks(self._connection),
                sent=tuple(execute(_newest_intents()).scalars()),
            )

    async def commit(self, changes: Changes) -> None:
        """Write all of `changes` in one durable transaction.

        Raises:
            LedgerError: postings do not balance, or cash, cost or holdings would fall below zero; nothing was written.
            StorageLocked: another instance has taken over; nothing was written.
            BusError: a message cannot be encoded; nothing was written.
            StorageError: a fill, ledger transaction or outcome is already there, or the database failed; nothing was
                written.
        """
        if changes == _NOTHING:
            return
        for booking in changes.ledger:
            _require_balance(booking)
        with transaction(self._connection):
            self._fence.require()
            added = self._symbols.add(_symbols_of(changes))
            self._write_orders(changes.orders)
            crashpoint(_point_inside(changes))
            self._write_rest(changes)
            self._post(changes.ledger)
            self._outbox.append(changes.messages)
        self._symbols.remember(added)

    async def has_order(self, client_order_id: str) -> bool:
        """Say whether an order of that id was ever planned.

        Raises:
            StorageError: the record cannot be read.
        """
        known = select(orders.c.client_order_id).where(orders.c.client_order_id == client_order_id)
        with transaction(self._connection):
            return self._connection.execute(known).first() is not None

    async def outcome(self, symbol: TradingSymbol, strategy: str, candle_time: int) -> SignalOutcome | None:
        """Return what became of that signal, or None if it was not handled yet.

        Raises:
            StorageError: the record cannot be read.
        """
        key = {"symbol": symbol, "strategy": strategy, "candle_time": candle_time}
        with transaction(self._connection):
            row = self._connection.execute(self._outcome, key).one_or_none()
        return None if row is None else read_outcome(row)

    def _booked(self) -> dict[str, frozenset[str]]:
        of_open = select(fills.c.client_order_id, fills.c.fill_id).join(
            orders, orders.c.client_order_id == fills.c.client_order_id
        )
        booked: defaultdict[str, set[str]] = defaultdict(set)
        for client_order_id, fill_id in self._connection.execute(of_open.where(orders.c.status.in_(_OPEN))):
            booked[client_order_id].add(fill_id)
        return {client_order_id: frozenset(fill_ids) for client_order_id, fill_ids in booked.items()}

    def _write_orders(self, states: Sequence[Order]) -> None:
        newest = {order.client_order_id: order for order in states}
        self._upsert[orders].run([order_row(order) for order in newest.values()])
        self._insert_event.run([_event_row(order) for order in states])

    def _write_rest(self, changes: Changes) -> None:
        self._insert[fills].run_records(changes.fills)
        self._delete_position.run([{"closed": symbol} for symbol in changes.closed])
        self._upsert[positions].run_records(changes.positions)
        self._insert_trade.run_records(changes.trades)
        self._insert[signals].run([outcome_row(outcome) for outcome in changes.outcomes])
        self._upsert[entries].run([{"symbol": symbol, "time": time} for symbol, time in changes.entries])
        marks = changes.limit_marks
        self._upsert[limit_marks].run([] if marks is None else [{"id": 1} | fields(marks)])

    def _post(self, ledger: Sequence[LedgerTransaction]) -> None:
        if not ledger:
            return
        self._insert[ledger_entries].run([row for booking in ledger for row in _lines(booking)])
        postings = [posting for booking in ledger for posting in booking.postings]
        amounts: dict[tuple[str, str], Decimal] = {
            (row["account"], row["asset"]): row["amount"]
            for asset in sorted({posting.asset for posting in postings})
            for row in self._balances.rows(asset=asset)
        }
        changed = {(posting.account, posting.asset): ZERO for posting in postings}
        for posting in postings:
            key = (posting.account, posting.asset)
            amounts[key] = add(amounts.get(key, ZERO), posting.amount)
        for account, asset in changed:
            if account in NEVER_BELOW_ZERO and amounts[account, asset] < 0:
                amount = plain(amounts[account, asset])
                raise LedgerError(f"{account} of {asset} would be {amount}; accepted: 0 or more")
        self._upsert[balances].run(
            [{"account": account, "asset": asset, "amount": amounts[account, asset]} for account, asset in changed]
        )


def _point_inside(changes: Changes) -> str:
    if changes.trades:
        return "P22"
    return "P12" if changes.fills else "P04"


def read_limit_marks(connection: Connection) -> LimitMarks | None:
    """Return what losses are measured from, inside the caller's transaction; None: nothing was measured yet."""
    columns = (column for column in limit_marks.columns if not column.primary_key)
    row = connection.execute(select(*columns)).one_or_none()
    return None if row is None else LimitMarks(**row._asdict())


def _newest_intents() -> Select[Any]:
    newest = select(func.max(orders.c.created_time)).scalar_subquery()
    times = select(orders.c.created_time).where(orders.c.created_time > newest - MINUTE_MS)
    return times.order_by(orders.c.created_time)


def _insert_event() -> Insert:
    # The next number is found inside the statement, so that several states of one order can be written at once.
    earlier = order_events.alias()
    number = select(func.coalesce(func.max(earlier.c.seq), 0) + 1).where(
        earlier.c.client_order_id == bindparam("order_id")
    )
    return insert(order_events).values(client_order_id=bindparam("order_id"), seq=number.scalar_subquery())


def _event_row(order: Order) -> Values:
    return {
        "order_id": order.client_order_id,
        "status": order.status,
        "time": order.updated_time,
        "filled_quantity": order.filled_quantity,
        "reason": order.reason,
    }


def _lines(booking: LedgerTransaction) -> list[Values]:
    head = {"transaction_id": booking.id, "time": booking.time}
    return [head | {"line": line} | fields(posting) for line, posting in enumerate(booking.postings, start=1)]


def _require_balance(booking: LedgerTransaction) -> None:
    # Without a line of its own it could be booked any number of times.
    if not booking.postings:
        raise LedgerError(f"ledger transaction {booking.id} has no postings; accepted: two or more")
    check_balanced(booking)


def _symbols_of(changes: Changes) -> set[TradingSymbol]:
    met: set[TradingSymbol] = set()
    for records in (changes.orders, changes.fills, changes.positions, changes.trades):
        met.update(map(_SYMBOL_OF, records))
    return met | {outcome.signal.symbol for outcome in changes.outcomes} | {symbol for symbol, _ in changes.entries}
