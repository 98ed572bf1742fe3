"""The tables of the record's first version."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SYMBOL = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
DECIMAL = sa.Text().with_variant(sa.Numeric(), "postgresql")
STATUS_KNOWN = (
    "status IN ('PLANNED', 'SENT', 'UNKNOWN', 'ACCEPTED', 'PARTIALLY_FILLED', 'FILLED', 'REJECTED', 'CANCELLED', "
    "'EXPIRED')"
)


def upgrade() -> None:
    op.create_table(
        "account_meta",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_account_meta"),
    )
    op.create_table(
        "balances",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("asset", sa.Text(), nullable=False),
        sa.Column("amount", DECIMAL, nullable=False),
        sa.PrimaryKeyConstraint("account", "asset", name="pk_balances"),
    )
    op.create_table(
        "ledger_entries",
        sa.Column("transaction_id", sa.Text(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("asset", sa.Text(), nullable=False),
        sa.Column("amount", DECIMAL, nullable=False),
        sa.PrimaryKeyConstraint("transaction_id", "line", name="pk_ledger_entries"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "symbols",
        sa.Column("symbol", SYMBOL, nullable=False),
        sa.Column("base", sa.Text(), nullable=False),
        sa.Column("quote", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("symbol", name="pk_symbols"),
    )
    op.create_table(
        "wallets",
        sa.Column("time", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("quote", sa.Text(), nullable=False),
        sa.Column("initial_capital", DECIMAL, nullable=False),
        sa.Column("cash", DECIMAL, nullable=False),
        sa.Column("reserved", DECIMAL, nullable=False),
        sa.Column("cost", DECIMAL, nullable=False),
        sa.Column("market_value", DECIMAL, nullable=False),
        sa.Column("realised_pnl", DECIMAL, nullable=False),
        sa.Column("fees", DECIMAL, nullable=False),
        sa.PrimaryKeyConstraint("time", name="pk_wallets"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "candle_faults",
        sa.Column("symbol", SYMBOL, nullable=False),
        sa.Column("fault", sa.Text(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["symbol"], ["symbols.symbol"], name="fk_candle_faults_symbol"),
        sa.PrimaryKeyConstraint("symbol", "fault", name="pk_candle_faults"),
    )
    op.create_table(
        "candles_index",
        sa.Column("symbol", SYMBOL, nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=True),
        sa.Column("last", sa.BigInteger(), nullable=True),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("missing", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["symbol"], ["symbols.symbol"], name="fk_candles_index_symbol"),
        sa.PrimaryKeyConstraint("symbol", name="pk_candles_index"),
    )
    op.create_table(
        "decisions",
        sa.Column("candle_time", sa.BigInteger(), nullable=False),
        sa.Column("symbol", SYMBOL, nullable=False),
        sa.Column("strategy", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("regime", sa.Text(), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("indicators", sa.Text(), nullable=False),
        sa.CheckConstraint("action IN ('buy', 'sell', 'hold')", name=op.f("ck_decisions_action_known")),
        sa.ForeignKeyConstraint(["symbol"], ["symbols.symbol"], name="fk_decisions_symbol"),
        sa.PrimaryKeyConstraint("candle_time", "symbol", "strategy", name="pk_decisions"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_decisions_symbol_candle_time", "decisions", ["symbol", "candle_time"], unique=False)
    op.create_table(
        "entries",
        sa.Column("symbol", SYMBOL, nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["symbol"], ["symbols.symbol"], name="fk_entries_symbol"),
        sa.PrimaryKeyConstraint("symbol", name="pk_entries"),
    )
    op.create_table(
        "orders",
        sa.Column("client_order_id", sa.Text(), nullable=False),
        sa.Column("symbol", SYMBOL, nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("quantity", DECIMAL, nullable=False),
        sa.Column("price", DECIMAL, nullable=True),
        sa.Column("stop_price", DECIMAL, nullable=True),
        sa.Column("group", sa.Text(), nullable=True),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("created_time", sa.BigInteger(), nullable=False),
        sa.Column("updated_time", sa.BigInteger(), nullable=False),
        sa.Column("filled_quantity", DECIMAL, nullable=False),
        sa.Column("filled_value", DECIMAL, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("venue_order_id", sa.Text(), nullable=True),
        sa.Column("reserved", DECIMAL, nullable=False),
        sa.Column("strategy", sa.Text(), nullable=False),
        sa.Column("regime", sa.Text(), nullable=False),
        sa.CheckConstraint("side IN ('BUY', 'SELL')", name=op.f("ck_orders_side_known")),
        sa.CheckConstraint(
            STATUS_KNOWN,
            name=op.f("ck_orders_status_known"),
        ),
        sa.CheckConstraint("CAST(quantity AS NUMERIC) > 0", name=op.f("ck_orders_quantity_above_zero")),
        sa.ForeignKeyConstraint(["symbol"], ["symbols.symbol"], name="fk_orders_symbol"),
        sa.PrimaryKeyConstraint("client_order_id", name="pk_orders"),
    )
    op.create_index("ix_orders_created_time", "orders", ["created_time"], unique=False)
    op.create_table(
        "positions",
        sa.Column("symbol", SYMBOL, nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("quantity", DECIMAL, nullable=False),
        sa.Column("cost", DECIMAL, nullable=False),
        sa.Column("entry_quantity", DECIMAL, nullable=False),
        sa.Column("entry_value", DECIMAL, nullable=False),
        sa.Column("entry_time", sa.BigInteger(), nullable=False),
        sa.Column("fees", DECIMAL, nullable=False),
        sa.Column("strategy", sa.Text(), nullable=False),
        sa.Column("entry_reason", sa.Text(), nullable=False),
        sa.Column("regime", sa.Text(), nullable=False),
        sa.Column("stop_ticks", sa.BigInteger(), nullable=True),
        sa.Column("stop_reason", sa.Text(), nullable=False),
        sa.Column("target_ticks", sa.BigInteger(), nullable=True),
        sa.Column("best_ticks", sa.BigInteger(), nullable=False),
        sa.Column("realised_pnl", DECIMAL, nullable=False),
        sa.Column("exit_quantity", DECIMAL, nullable=False),
        sa.Column("exit_value", DECIMAL, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.CheckConstraint("side IN ('LONG', 'SHORT')", name=op.f("ck_positions_side_known")),
        sa.CheckConstraint("CAST(entry_quantity AS NUMERIC) > 0", name=op.f("ck_positions_entry_quantity_above_zero")),
        sa.CheckConstraint("CAST(quantity AS NUMERIC) > 0", name=op.f("ck_positions_quantity_above_zero")),
        sa.ForeignKeyConstraint(["symbol"], ["symbols.symbol"], name="fk_positions_symbol"),
        sa.PrimaryKeyConstraint("symbol", name="pk_positions"),
    )
    op.create_table(
        "strategy_configs",
        sa.Column("symbol", SYMBOL, nullable=False),
        sa.Column("strategy", sa.Text(), nullable=False),
        sa.Column("params", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["symbol"], ["symbols.symbol"], name="fk_strategy_configs_symbol"),
        sa.PrimaryKeyConstraint("symbol", "strategy", name="pk_strategy_configs"),
    )
    op.create_table(
        "trades",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("symbol", SYMBOL, nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("entry_time", sa.BigInteger(), nullable=False),
        sa.Column("entry_price", DECIMAL, nullable=False),
        sa.Column("exit_time", sa.BigInteger(), nullable=False),
        sa.Column("exit_price", DECIMAL, nullable=False),
        sa.Column("quantity", DECIMAL, nullable=False),
        sa.Column("fees", DECIMAL, nullable=False),
        sa.Column("pnl", DECIMAL, nullable=False),
        sa.Column("return_pct", sa.Double(), nullable=False),
        sa.Column("entry_reason", sa.Text(), nullable=False),
        sa.Column("exit_reason", sa.Text(), nullable=False),
        sa.Column("regime", sa.Text(), nullable=False),
        sa.Column("strategy", sa.Text(), nullable=False),
        sa.CheckConstraint("side IN ('LONG', 'SHORT')", name=op.f("ck_trades_side_known")),
        sa.CheckConstraint("CAST(quantity AS NUMERIC) > 0", name=op.f("ck_trades_quantity_above_zero")),
        sa.ForeignKeyConstraint(["symbol"], ["symbols.symbol"], name="fk_trades_symbol"),
        sa.PrimaryKeyConstraint("id", name="pk_trades"),
    )
    op.create_index("ix_trades_exit_time", "trades", ["exit_time"], unique=False)
    op.create_table(
        "fills",
        sa.Column("fill_id", sa.Text(), nullable=False),
        sa.Column("client_order_id", sa.Text(), nullable=False),
        sa.Column("symbol", SYMBOL, nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("price", DECIMAL, nullable=False),
        sa.Column("quantity", DECIMAL, nullable=False),
        sa.Column("fee", DECIMAL, nullable=False),
        sa.Column("fee_asset", sa.Text(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("side IN ('BUY', 'SELL')", name=op.f("ck_fills_side_known")),
        sa.CheckConstraint("CAST(price AS NUMERIC) > 0", name=op.f("ck_fills_price_above_zero")),
        sa.CheckConstraint("CAST(quantity AS NUMERIC) > 0", name=op.f("ck_fills_quantity_above_zero")),
        sa.ForeignKeyConstraint(["client_order_id"], ["orders.client_order_id"], name="fk_fills_client_order_id"),
        sa.ForeignKeyConstraint(["symbol"], ["symbols.symbol"], name="fk_fills_symbol"),
        sa.PrimaryKeyConstraint("fill_id", name="pk_fills"),
    )
    op.create_index("ix_fills_time", "fills", ["time"], unique=False)
    op.create_table(
        "order_events",
        sa.Column("client_order_id", sa.Text(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("filled_quantity", DECIMAL, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.CheckConstraint(
            STATUS_KNOWN,
            name=op.f("ck_order_events_status_known"),
        ),
        sa.ForeignKeyConstraint(
            ["client_order_id"], ["orders.client_order_id"], name="fk_order_events_client_order_id"
        ),
        sa.PrimaryKeyConstraint("client_order_id", "seq", name="pk_order_events"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "signals",
        sa.Column("candle_time", sa.BigInteger(), nullable=False),
        sa.Column("symbol", SYMBOL, nullable=False),
        sa.Column("strategy", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("regime", sa.Text(), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("client_order_id", sa.Text(), nullable=True),
        sa.Column("refusal", sa.Text(), nullable=True),
        sa.CheckConstraint("action IN ('buy', 'sell', 'hold')", name=op.f("ck_signals_action_known")),
        sa.CheckConstraint("client_order_id IS NOT NULL OR refusal IS NOT NULL", name=op.f("ck_signals_handled")),
        sa.ForeignKeyConstraint(["client_order_id"], ["orders.client_order_id"], name="fk_signals_client_order_id"),
        sa.ForeignKeyConstraint(["symbol"], ["symbols.symbol"], name="fk_signals_symbol"),
        sa.PrimaryKeyConstraint("candle_time", "symbol", "strategy", name="pk_signals"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "paper_events",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("events", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_paper_events"),
    )


def downgrade() -> None:
    op.drop_table("paper_events")
    op.drop_table("signals")
    op.drop_table("order_events")
    op.drop_index("ix_fills_time", table_name="fills")
    op.drop_table("fills")
    op.drop_index("ix_trades_exit_time", table_name="trades")
    op.drop_table("trades")
    op.drop_table("strategy_configs")
    op.drop_table("positions")
    op.drop_index("ix_orders_created_time", table_name="orders")
    op.drop_table("orders")
    op.drop_table("entries")
    op.drop_index("ix_decisions_symbol_candle_time", table_name="decisions")
    op.drop_table("decisions")
    op.drop_table("candles_index")
    op.drop_table("candle_faults")
    op.drop_table("wallets")
    op.drop_table("symbols")
    op.drop_table("ledger_entries")
    op.drop_table("balances")
    op.drop_table("account_meta")
