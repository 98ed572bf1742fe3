"""A position knows how much of it its target closes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

SYMBOL = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
DECIMAL = sa.Text().with_variant(sa.Numeric(), "postgresql")
COLUMNS = (
    "symbol, side, quantity, cost, entry_quantity, entry_value, entry_time, fees, strategy, entry_reason, regime, "
    "stop_ticks, stop_reason, target_ticks, best_ticks, realised_pnl, exit_quantity, exit_value, revision"
)


def upgrade() -> None:
    # Until now a target closed the whole position.
    _rebuild(
        [sa.Column("target_quantity", DECIMAL, nullable=False)],
        f"{COLUMNS}, target_quantity",
        f"{COLUMNS}, CASE WHEN target_ticks IS NULL THEN '0' ELSE quantity END",
    )


def downgrade() -> None:
    # What was partly closed at its target has none from here on: the older program would close all of it there.
    without = "CASE WHEN target_quantity = quantity THEN target_ticks END"
    _rebuild([], COLUMNS, COLUMNS.replace("target_ticks", without))


def _rebuild(more: list[sa.Column[object]], columns: str, values: str) -> None:
    # SQLite cannot add a column that must have a value; a table of open positions is small.
    op.execute("CREATE TABLE positions_before AS SELECT * FROM positions")
    op.drop_table("positions")
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
        *more,
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
    op.execute(f"INSERT INTO positions ({columns}) SELECT {values} FROM positions_before")  # noqa: S608  our own words
    op.drop_table("positions_before")
