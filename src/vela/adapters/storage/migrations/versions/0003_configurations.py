"""The record knows by what the account was traded, and since when."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

SYMBOL = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
DECIMAL = sa.Text().with_variant(sa.Numeric(), "postgresql")


def upgrade() -> None:
    # Nothing was ever written into the table as it was.
    op.drop_table("strategy_configs")
    op.create_table(
        "trading_rules",
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("rules", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("since", name="pk_trading_rules"),
    )
    op.create_table(
        "strategy_configs",
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("symbol", SYMBOL, nullable=False),
        sa.Column("strategy", sa.Text(), nullable=False),
        sa.Column("params", sa.Text(), nullable=False),
        sa.Column("tick", DECIMAL, nullable=False),
        sa.Column("step", DECIMAL, nullable=False),
        sa.Column("min_notional", DECIMAL, nullable=False),
        sa.Column("min_quantity", DECIMAL, nullable=False),
        sa.ForeignKeyConstraint(["since"], ["trading_rules.since"], name="fk_strategy_configs_since"),
        sa.ForeignKeyConstraint(["symbol"], ["symbols.symbol"], name="fk_strategy_configs_symbol"),
        sa.PrimaryKeyConstraint("since", "symbol", name="pk_strategy_configs"),
    )


def downgrade() -> None:
    op.drop_table("strategy_configs")
    op.drop_table("trading_rules")
    op.create_table(
        "strategy_configs",
        sa.Column("symbol", SYMBOL, nullable=False),
        sa.Column("strategy", sa.Text(), nullable=False),
        sa.Column("params", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["symbol"], ["symbols.symbol"], name="fk_strategy_configs_symbol"),
        sa.PrimaryKeyConstraint("symbol", "strategy", name="pk_strategy_configs"),
    )
