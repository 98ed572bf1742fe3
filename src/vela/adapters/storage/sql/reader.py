"""What the page and the commands read from the record."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeVar

from sqlalchemy import Column, Connection, Double, Row, Select, Table, bindparam, cast, func, select

from vela.adapters.storage.sql.database import transaction
from vela.adapters.storage.sql.rows import read_order, read_outcome
from vela.adapters.storage.sql.schema import (
    balances,
    candle_faults,
    candles_index,
    decisions,
    fills,
    orders,
    positions,
    signals,
    trades,
    wallets,
)
from vela.domain.fill import Fill
from vela.domain.money import ZERO, add, subtract
from vela.domain.order import Order
from vela.domain.position import Position, Trade, Wallet
from vela.domain.signal import Decision, SignalOutcome
from vela.domain.trading_symbol import TradingSymbol
from vela.engine.ledger import Account
from vela.ports.record import Summary

_Record = TypeVar("_Record")
_Mark = Row[Any, Any, Any]  # time, cash, market value


class SqlRecordReader:
    """`RecordReader` over a connection made for `Purpose.READING`; may be called from any thread.

    Every method raises `StorageError` if the record cannot be read.
    """

    def __init__(self, connection: Connection) -> None:
        """Read over `connection`, which stays the caller's to close."""
        self._connection = connection
        capital = balances.alias()
        quote = select(capital.c.asset).where(capital.c.account == Account.CAPITAL).order_by(capital.c.asset).limit(1)
        self._quote_balances = select(balances).where(balances.c.asset == quote.scalar_subquery())
        self._marks = select(wallets.c.time, wallets.c.cash, wallets.c.market_value)
        self._mark_at = self._marks.where(wallets.c.time <= bindparam("at")).order_by(wallets.c.time.desc()).limit(1)
        self._one_at_a_time = threading.Lock()

    def summary(self) -> Summary:
        """Return the run in figures, all of one moment.

        Money is the ledger's. What is held counts as last marked, or at cost if the account has moved since.
        """
        refused = select(signals.c.refusal, func.count()).where(signals.c.refusal.is_not(None))
        faults = select(candle_faults.c.fault, func.sum(candle_faults.c.count))
        with self._one_at_a_time, transaction(self._connection):
            amounts = {Account(row.account): row.amount for row in self._connection.execute(self._quote_balances)}
            return Summary(
                candles=self._total(candles_index.c.count),
                decisions=self._count(decisions),
                signals=self._count(signals),
                orders=self._count(orders),
                fills=self._count(fills),
                trades=self._count(trades),
                open_positions=self._count(positions),
                refused=self._pairs(refused.group_by(signals.c.refusal).order_by(signals.c.refusal)),
                refused_candles=self._pairs(faults.group_by(candle_faults.c.fault).order_by(candle_faults.c.fault)),
                missing_candles=self._total(candles_index.c.missing),
                initial_capital=subtract(ZERO, amounts.get(Account.CAPITAL, ZERO)),
                final_equity=self._equity(amounts.get(Account.CASH, ZERO), amounts.get(Account.COST, ZERO)),
                realised_pnl=subtract(ZERO, amounts.get(Account.REALISED, ZERO)),
                fees=amounts.get(Account.FEES, ZERO),
            )

    def trades(self, *, limit: int, before: int | None = None) -> Sequence[Trade]:
        """Return closed round trips, newest exit first."""
        columns = [column for column in trades.c if column is not trades.c.id]
        page = _page(select(*columns), trades.c.exit_time, trades.c.id, limit=limit, before=before)
        return self._read(page, _maker(Trade))

    def trade_totals(self) -> tuple[int, int]:
        """Return how many round trips were closed, and how many of them with a profit after fees."""
        # Amounts may be stored as text; only the sign is asked for, which the conversion keeps.
        won = func.count().filter(cast(trades.c.pnl, Double) > 0)
        with self._one_at_a_time, transaction(self._connection):
            total, wins = self._connection.execute(select(func.count(), won).select_from(trades)).one()
        return total, wins

    def orders(self, *, limit: int, before: int | None = None) -> Sequence[Order]:
        """Return orders in their present state, newest intent first."""
        page = _page(select(orders), orders.c.created_time, orders.c.client_order_id, limit=limit, before=before)
        return self._read(page, read_order)

    def fills(self, *, limit: int, before: int | None = None) -> Sequence[Fill]:
        """Return fills, newest first."""
        return self._read(_page(select(fills), fills.c.time, fills.c.fill_id, limit=limit, before=before), _maker(Fill))

    def decisions(
        self, *, limit: int, symbol: TradingSymbol | None = None, before: int | None = None
    ) -> Sequence[Decision]:
        """Return decisions, newest candle first, of one symbol or of all."""
        return self._read(_signal_page(decisions, limit, symbol, before), _maker(Decision))

    def outcomes(
        self, *, limit: int, symbol: TradingSymbol | None = None, before: int | None = None
    ) -> Sequence[SignalOutcome]:
        """Return handled signals, newest candle first, of one symbol or of all."""
        return self._read(_signal_page(signals, limit, symbol, before), read_outcome)

    def positions(self) -> Sequence[Position]:
        """Return the open positions by symbol."""
        return self._read(select(positions).order_by(positions.c.symbol), _maker(Position))

    def equity_curve(self, *, points: int) -> Sequence[tuple[int, float]]:
        """Return up to `points` (ms UTC, equity in quote) pairs over the account's whole life, oldest first.

        The first and the last mark are among them; between, the newest mark at each of evenly spaced times. The cost
        grows with `points`, not with the length of the life.
        """
        oldest = self._marks.order_by(wallets.c.time).limit(points + 1)
        newest = self._marks.order_by(wallets.c.time.desc()).limit(1)
        with self._one_at_a_time, transaction(self._connection):
            rows = self._connection.execute(oldest).all()
            if len(rows) > points > 0:
                rows = self._sampled(rows[0], self._connection.execute(newest).one(), points)
        return [(row.time, float(add(row.cash, row.market_value))) for row in rows[:points]]

    def newest_wallet(self) -> Wallet | None:
        """Return the account as last marked."""
        with self._one_at_a_time, transaction(self._connection):
            return self._newest_wallet()

    def _sampled(self, first: _Mark, last: _Mark, points: int) -> Sequence[_Mark]:
        chosen = {first.time: first}
        for step in range(1, points - 1):
            time = first.time + (last.time - first.time) * step // (points - 1)
            row = self._connection.execute(self._mark_at, {"at": time}).one()
            chosen[row.time] = row
        if points > 1:
            chosen[last.time] = last
        return list(chosen.values())

    def _equity(self, cash: Decimal, cost: Decimal) -> Decimal:
        wallet = self._newest_wallet()
        is_current = wallet is not None and (wallet.cash, wallet.cost) == (cash, cost)
        return add(cash, wallet.market_value if wallet is not None and is_current else cost)

    def _newest_wallet(self) -> Wallet | None:
        row = self._connection.execute(select(wallets).order_by(wallets.c.time.desc()).limit(1)).one_or_none()
        return None if row is None else Wallet(**row._asdict())

    def _read(self, query: Select[Any], make: Callable[[Row[Any]], _Record]) -> list[_Record]:
        with self._one_at_a_time, transaction(self._connection):
            return [make(row) for row in self._connection.execute(query)]

    def _count(self, table: Table) -> int:
        return self._connection.execute(select(func.count()).select_from(table)).scalar_one()

    def _total(self, column: Column[int]) -> int:
        return int(self._connection.execute(select(func.coalesce(func.sum(column), 0))).scalar_one())

    def _pairs(self, query: Select[Any]) -> Mapping[str, int]:
        return {str(getattr(key, "value", key)): int(number) for key, number in self._connection.execute(query)}


def _maker(record: type[_Record]) -> Callable[[Row[Any]], _Record]:
    return lambda row: record(**row._asdict())


def _page(query: Select[Any], time: Column[int], tie: Column[Any], *, limit: int, before: int | None) -> Select[Any]:
    if before is not None:
        query = query.where(time < before)
    return query.order_by(time.desc(), tie.desc()).limit(limit)


def _signal_page(table: Table, limit: int, symbol: TradingSymbol | None, before: int | None) -> Select[Any]:
    query = select(table)
    if symbol is not None:
        query = query.where(table.c.symbol == symbol)
    if before is not None:
        query = query.where(table.c.candle_time < before)
    return query.order_by(table.c.candle_time.desc(), table.c.symbol, table.c.strategy).limit(limit)
