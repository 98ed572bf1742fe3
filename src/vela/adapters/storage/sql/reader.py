"""What the page and the commands read from the record."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeVar

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    CompoundSelect,
    Connection,
    Double,
    Executable,
    Row,
    ScalarSelect,
    Select,
    Table,
    bindparam,
    case,
    cast,
    func,
    literal,
    null,
    select,
    true,
    type_coerce,
    union,
    union_all,
)

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
from vela.adapters.storage.sql.types import ExactDecimal, PlainText
from vela.domain.fill import Fill
from vela.domain.money import ZERO, add, subtract
from vela.domain.order import Order
from vela.domain.position import Position, Trade, Wallet
from vela.domain.signal import Decision, SignalOutcome
from vela.domain.trading_symbol import TradingSymbol
from vela.engine.ledger import Account
from vela.ports.record import Summary

_Record = TypeVar("_Record")


class SqlRecordReader:
    """`RecordReader` over a connection made for `Purpose.READING`; may be called from any thread.

    Every method raises `StorageError` if the record cannot be read.
    """

    def __init__(self, connection: Connection) -> None:
        """Read over `connection`, which stays the caller's to close."""
        self._connection = connection
        self._summary = _summary()
        self._curve = _curve()
        self._one_at_a_time = threading.Lock()

    def summary(self) -> Summary:
        """Return the run in figures, all of one moment.

        Money is the ledger's. What is held counts as last marked, or at cost if the account has moved since.
        """
        found: defaultdict[str, dict[str, Any]] = defaultdict(dict)
        for part, key, number, amount in self._read(self._summary, tuple):
            found[part][key] = int(number) if amount is None else amount
        counts, money, wallet = found["count"], found["balance"], found["wallet"]
        return Summary(
            **counts,
            refused=dict(sorted(found["refused"].items())),
            refused_candles=dict(sorted(found["fault"].items())),
            initial_capital=subtract(ZERO, money.get(Account.CAPITAL, ZERO)),
            final_equity=_equity(money.get(Account.CASH, ZERO), money.get(Account.COST, ZERO), wallet),
            realised_pnl=subtract(ZERO, money.get(Account.REALISED, ZERO)),
            fees=money.get(Account.FEES, ZERO),
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
        [(total, wins)] = self._read(select(func.count(), won).select_from(trades), tuple)
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
        if points < 1:
            return []
        rows = self._read(self._curve, tuple, {"points": points})
        return [(time, float(add(cash, market_value))) for time, cash, market_value in rows]

    def newest_wallet(self) -> Wallet | None:
        """Return the account as last marked."""
        newest = self._read(select(wallets).order_by(wallets.c.time.desc()).limit(1), _maker(Wallet))
        return newest[0] if newest else None

    def _read(
        self, query: Executable, make: Callable[[Row[Any]], _Record], values: Mapping[str, object] | None = None
    ) -> list[_Record]:
        with self._one_at_a_time, transaction(self._connection):
            return [make(row) for row in self._connection.execute(query, values)]


def _summary() -> CompoundSelect[Any]:
    """Return all that a summary needs as rows of part, key, number, amount: one statement is of one moment."""
    counted = {"decisions": decisions, "signals": signals, "orders": orders, "fills": fills, "trades": trades}
    counts = {name: select(func.count()).select_from(table) for name, table in counted.items()}
    counts["open_positions"] = select(func.count()).select_from(positions)
    counts["candles"] = select(func.coalesce(func.sum(candles_index.c.count), 0))
    counts["missing_candles"] = select(func.coalesce(func.sum(candles_index.c.missing), 0))
    refused = select(*_part("refused", signals.c.refusal, func.count())).where(signals.c.refusal.is_not(None))
    faults = select(*_part("fault", type_coerce(candle_faults.c.fault, PlainText), func.sum(candle_faults.c.count)))
    newest = select(wallets).order_by(wallets.c.time.desc()).limit(1).subquery()
    return union_all(
        *(select(*_part("count", literal(name), count.scalar_subquery())) for name, count in counts.items()),
        refused.group_by(signals.c.refusal),
        faults.group_by(candle_faults.c.fault),
        select(*_part("balance", balances.c.account, null(), balances.c.amount)).where(balances.c.asset == _quote()),
        *(select(*_part("wallet", literal(name), null(), newest.c[name])) for name in ("cash", "cost", "market_value")),
    )


def _part(part: str, key: Any, number: Any, amount: Any = None) -> tuple[ColumnElement[Any], ...]:  # noqa: ANN401  SQL
    return (
        literal(part).label("part"),
        cast(key, PlainText).label("key"),
        cast(number, BigInteger).label("number"),
        cast(null() if amount is None else amount, ExactDecimal).label("amount"),
    )


def _quote() -> ScalarSelect[str]:
    capital = balances.alias()
    asset = select(capital.c.asset).where(capital.c.account == Account.CAPITAL).order_by(capital.c.asset)
    return asset.limit(1).scalar_subquery()


def _curve() -> Select[Any]:
    """Return the marks of `points` evenly spaced times, or all of them if there are no more than that."""
    most = bindparam("points", type_=BigInteger)
    ends = select(func.min(wallets.c.time).label("first"), func.max(wallets.c.time).label("last")).cte("ends")
    steps = select(literal(0, BigInteger).label("n")).cte("steps", recursive=True)
    steps = steps.union_all(select(steps.c.n + 1).where(steps.c.n < most - 1))
    # Whole-number division: of one point there is no step, and nothing to divide by.
    between = case((most > 1, most - 1), else_=1)
    at = ends.c.first + (ends.c.last - ends.c.first) * steps.c.n // between
    earlier = wallets.alias()
    newest_at = select(func.max(earlier.c.time)).where(earlier.c.time <= at).scalar_subquery()
    oldest = select(wallets.c.time).order_by(wallets.c.time).limit(most + 1).cte("oldest")
    is_short = select(func.count()).select_from(oldest).scalar_subquery() <= most
    chosen = union(select(newest_at).select_from(steps).join(ends, true()), select(oldest.c.time).where(is_short))
    marks = select(wallets.c.time, wallets.c.cash, wallets.c.market_value)
    return marks.where(wallets.c.time.in_(chosen)).order_by(wallets.c.time)


def _equity(cash: Decimal, cost: Decimal, wallet: Mapping[str, Decimal]) -> Decimal:
    is_current = (wallet.get("cash"), wallet.get("cost")) == (cash, cost)
    return add(cash, wallet["market_value"] if is_current else cost)


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
