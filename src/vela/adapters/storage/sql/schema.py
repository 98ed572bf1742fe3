"""The tables. A column is named like the field it holds, so that rows and records map onto each other by name.

Times are ms UTC. Nothing but jobs, kill switch and leases depends on the wall clock or on chance: two equal runs leave
equal rows.
"""

from __future__ import annotations

from enum import Enum
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
)

from vela.adapters.storage.sql.types import EnumText, ExactDecimal, JsonText, PlainText, TradingSymbolType
from vela.domain.candles import CandleFault
from vela.domain.jobs import BacktestRequest, Figure, JobState
from vela.domain.order import OrderPurpose, OrderStatus, OrderType, Side
from vela.domain.position import ExitReason, PositionSide
from vela.domain.regime import MarketRegime
from vela.domain.signal import Action
from vela.engine.rules import TradingRules

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
    }
)


def _symbol(*, primary_key: bool = False) -> Column[Any]:
    return Column("symbol", TradingSymbolType, ForeignKey("symbols.symbol"), primary_key=primary_key, nullable=False)


def _required(name: str, kind: Any, **options: Any) -> Column[Any]:  # noqa: ANN401  any column type
    return Column(name, kind, nullable=False, **options)


def _key(name: str, kind: Any, **options: Any) -> Column[Any]:  # noqa: ANN401  any column type
    return Column(name, kind, primary_key=True, nullable=False, autoincrement=False, **options)


def _above_zero(column: str) -> CheckConstraint:
    # The cast makes text a number on SQLite; its rounding does not matter for the sign.
    return CheckConstraint(f"CAST({column} AS NUMERIC) > 0", name=f"{column}_above_zero")


def _one_of(column: str, members: type[Enum]) -> CheckConstraint:
    accepted = ", ".join(f"'{member.value}'" for member in members)
    return CheckConstraint(f"{column} IN ({accepted})", name=f"{column}_known")


symbols = Table(
    "symbols",
    metadata,
    _key("symbol", TradingSymbolType),
    _required("base", PlainText),
    _required("quote", PlainText),
)

decisions = Table(
    "decisions",
    metadata,
    _key("candle_time", BigInteger),
    _symbol(primary_key=True),
    _key("strategy", PlainText),
    _required("action", EnumText(Action)),
    _required("regime", EnumText(MarketRegime)),
    _required("confidence", Double),
    _required("reason", PlainText),
    _required("indicators", JsonText(dict[str, float])),
    _one_of("action", Action),
    sqlite_with_rowid=False,
)
Index(None, decisions.c.symbol, decisions.c.candle_time)

orders = Table(
    "orders",
    metadata,
    _key("client_order_id", PlainText),
    _symbol(),
    _required("side", EnumText(Side)),
    _required("type", EnumText(OrderType)),
    _required("quantity", ExactDecimal),
    Column("price", ExactDecimal),
    Column("stop_price", ExactDecimal),
    Column("group", PlainText),
    _required("purpose", EnumText(OrderPurpose)),
    _required("status", EnumText(OrderStatus)),
    _required("created_time", BigInteger, index=True),
    _required("updated_time", BigInteger),
    _required("filled_quantity", ExactDecimal),
    _required("filled_value", ExactDecimal),
    _required("reason", PlainText),
    Column("venue_order_id", PlainText),
    _required("reserved", ExactDecimal),
    _required("strategy", PlainText),
    _required("regime", EnumText(MarketRegime)),
    _above_zero("quantity"),
    _one_of("side", Side),
    _one_of("status", OrderStatus),
)

order_events = Table(
    "order_events",
    metadata,
    Column("client_order_id", PlainText, ForeignKey("orders.client_order_id"), primary_key=True),
    _key("seq", Integer),
    _required("status", EnumText(OrderStatus)),
    _required("time", BigInteger),
    _required("filled_quantity", ExactDecimal),
    _required("reason", PlainText),
    _one_of("status", OrderStatus),
    sqlite_with_rowid=False,
)

signals = Table(
    "signals",
    metadata,
    _key("candle_time", BigInteger),
    _symbol(primary_key=True),
    _key("strategy", PlainText),
    _required("action", EnumText(Action)),
    _required("regime", EnumText(MarketRegime)),
    _required("confidence", Double),
    Column("client_order_id", PlainText, ForeignKey("orders.client_order_id")),
    Column("refusal", PlainText),
    _one_of("action", Action),
    CheckConstraint("client_order_id IS NOT NULL OR refusal IS NOT NULL", name="handled"),
    sqlite_with_rowid=False,
)

fills = Table(
    "fills",
    metadata,
    _key("fill_id", PlainText),
    Column("client_order_id", PlainText, ForeignKey("orders.client_order_id"), nullable=False),
    _symbol(),
    _required("side", EnumText(Side)),
    _required("price", ExactDecimal),
    _required("quantity", ExactDecimal),
    _required("fee", ExactDecimal),
    _required("fee_asset", PlainText),
    _required("time", BigInteger, index=True),
    _above_zero("price"),
    _above_zero("quantity"),
    _one_of("side", Side),
)

positions = Table(
    "positions",
    metadata,
    _symbol(primary_key=True),
    _required("side", EnumText(PositionSide)),
    _required("quantity", ExactDecimal),
    _required("cost", ExactDecimal),
    _required("entry_quantity", ExactDecimal),
    _required("entry_value", ExactDecimal),
    _required("entry_time", BigInteger),
    _required("fees", ExactDecimal),
    _required("strategy", PlainText),
    _required("entry_reason", PlainText),
    _required("regime", EnumText(MarketRegime)),
    Column("stop_ticks", BigInteger),
    _required("stop_reason", EnumText(ExitReason)),
    Column("target_ticks", BigInteger),
    _required("best_ticks", BigInteger),
    _required("target_quantity", ExactDecimal),
    _required("realised_pnl", ExactDecimal),
    _required("exit_quantity", ExactDecimal),
    _required("exit_value", ExactDecimal),
    _required("revision", Integer),
    Column("leaving", EnumText(ExitReason)),
    _above_zero("quantity"),
    _above_zero("entry_quantity"),
    _one_of("side", PositionSide),
)

trades = Table(
    "trades",
    metadata,
    Column("id", Integer, primary_key=True),  # their order of booking
    _symbol(),
    _required("side", EnumText(PositionSide)),
    _required("entry_time", BigInteger),
    _required("entry_price", ExactDecimal),
    _required("exit_time", BigInteger, index=True),
    _required("exit_price", ExactDecimal),
    _required("quantity", ExactDecimal),
    _required("fees", ExactDecimal),
    _required("pnl", ExactDecimal),
    _required("return_pct", Double),
    _required("entry_reason", PlainText),
    _required("exit_reason", EnumText(ExitReason)),
    _required("regime", EnumText(MarketRegime)),
    _required("strategy", PlainText),
    _above_zero("quantity"),
    _one_of("side", PositionSide),
)

ledger_entries = Table(
    "ledger_entries",
    metadata,
    _key("transaction_id", PlainText),
    _key("line", Integer),
    _required("time", BigInteger),
    _required("account", PlainText),
    _required("asset", PlainText),
    _required("amount", ExactDecimal),
    sqlite_with_rowid=False,
)

balances = Table(
    "balances",
    metadata,
    _key("account", PlainText),
    _key("asset", PlainText),
    _required("amount", ExactDecimal),
)

entries = Table(
    "entries",
    metadata,
    _symbol(primary_key=True),
    _required("time", BigInteger),
)

wallets = Table(
    "wallets",
    metadata,
    _key("time", BigInteger),
    _required("quote", PlainText),
    _required("initial_capital", ExactDecimal),
    _required("cash", ExactDecimal),
    _required("reserved", ExactDecimal),
    _required("cost", ExactDecimal),
    _required("market_value", ExactDecimal),
    _required("realised_pnl", ExactDecimal),
    _required("fees", ExactDecimal),
    sqlite_with_rowid=False,
)

candles_index = Table(
    "candles_index",
    metadata,
    _symbol(primary_key=True),
    Column("first", BigInteger),
    Column("last", BigInteger),
    _required("count", BigInteger),
    _required("missing", BigInteger),
)

candle_faults = Table(
    "candle_faults",
    metadata,
    _symbol(primary_key=True),
    _key("fault", EnumText(CandleFault)),
    _required("count", BigInteger),
)

# What the account is traded by: rules and, of every symbol, the strategy and the venue's rules, each from a moment on.
trading_rules = Table(
    "trading_rules",
    metadata,
    _key("since", BigInteger),
    _required("rules", JsonText(TradingRules)),
)

strategy_configs = Table(
    "strategy_configs",
    metadata,
    Column("since", BigInteger, ForeignKey("trading_rules.since"), primary_key=True, nullable=False),
    _symbol(primary_key=True),
    _required("strategy", PlainText),
    _required("params", JsonText(dict[str, int | float])),
    _required("tick", ExactDecimal),
    _required("step", ExactDecimal),
    _required("min_notional", ExactDecimal),
    _required("min_quantity", ExactDecimal),
)

account_meta = Table(
    "account_meta",
    metadata,
    _key("key", PlainText),
    _required("value", PlainText),
)

# What happened at the paper account's own exchange: a row per command or moment, in order, written before the answer.
paper_events = Table(
    "paper_events",
    metadata,
    _key("number", Integer),
    _required("events", PlainText),
)

# A row per setting, in order, appended by whatever process sets it.
kill_switch = Table(
    "kill_switch",
    metadata,
    _key("number", Integer),
    _required("time", BigInteger),
    _required("is_on", Boolean),
    _required("flatten", Boolean),
    _required("reason", PlainText),
    _required("by", PlainText),
    _required("resets", Integer),
)

limit_marks = Table(
    "limit_marks",
    metadata,
    _key("id", Integer),
    _required("day", Integer),
    _required("day_equity", ExactDecimal),
    _required("day_lost", Boolean),
    _required("highest", ExactDecimal),
    _required("drawn_down", Boolean),
    _required("resets", Integer),
    CheckConstraint("id = 1", name="one_row"),
)

jobs = Table(
    "jobs",
    metadata,
    Column("number", Integer, primary_key=True),  # the order in which they were asked for
    _required("id", PlainText, unique=True),
    _required("request", JsonText(BacktestRequest)),
    _required("created", BigInteger),
    _required("state", EnumText(JobState)),
    Column("started", BigInteger),
    Column("finished", BigInteger),
    Column("summary", JsonText(dict[str, Figure])),
    _required("error", PlainText),
    _one_of("state", JobState),
)

# Apart from the jobs, so that listing these does not read megabytes. Compressed by gzip.
job_results = Table(
    "job_results",
    metadata,
    Column("number", Integer, ForeignKey("jobs.number"), primary_key=True, autoincrement=False),
    _required("document", LargeBinary),
    _required("report", LargeBinary),
)

# Who may trade on this record. Rows are kept, so that tokens only grow.
leases = Table(
    "leases",
    metadata,
    _key("name", PlainText),
    _required("holder", PlainText),
    _required("token", BigInteger),
    Column("expires_at", BigInteger),  # by the server's clock; None: as long as the process lives, or nobody's
)

# Messages that wait to be passed on. Numbers are never used again: a reader may remember the last one.
outbox = Table(
    "outbox",
    metadata,
    Column("number", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True),
    _required("message", LargeBinary),
    sqlite_autoincrement=True,
)


def _from_the_older_system(name: str, *columns: Column[Any]) -> Table:
    """History that another program wrote: a row is known by its file and its number there; `digest`: of all it said."""
    key = (_key("source", PlainText), _key("number", BigInteger))
    ends = (_required("rest", JsonText(dict[str, Any])), _required("digest", PlainText))
    return Table(name, metadata, *key, *columns, *ends)


older_trades = _from_the_older_system(
    "older_trades",
    _symbol(),
    _required("time", BigInteger, index=True),
    _required("side", PlainText),
    _required("price", ExactDecimal),
    _required("quantity", ExactDecimal),
    Column("fee", ExactDecimal),
    Column("pnl", ExactDecimal),
    Column("strategy", PlainText),
)

older_signals = _from_the_older_system(
    "older_signals",
    _symbol(),
    _required("time", BigInteger, index=True),
    _required("action", PlainText),
    Column("price", ExactDecimal),
    Column("confidence", ExactDecimal),
    Column("strategy", PlainText),
)

older_wallets = _from_the_older_system(
    "older_wallets",
    _required("time", BigInteger, index=True),
    _required("asset", PlainText),
    _required("amount", ExactDecimal),
)

market_snapshots = _from_the_older_system(
    "market_snapshots",
    _symbol(),
    _required("time", BigInteger, index=True),
    _required("price", ExactDecimal),
    Column("volume", ExactDecimal),
)
