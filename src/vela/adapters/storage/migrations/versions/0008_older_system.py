"""What was taken over from the older system's file: history beside the account's own, and apart from its books."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
DECIMAL = sa.Text().with_variant(sa.Numeric(), "postgresql")
JSON = sa.Text().with_variant(sa.JSON(), "postgresql")


def upgrade() -> None:
    _create(
        "older_trades",
        sa.Column("symbol", TEXT, nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("side", TEXT, nullable=False),
        sa.Column("price", DECIMAL, nullable=False),
        sa.Column("quantity", DECIMAL, nullable=False),
        sa.Column("fee", DECIMAL, nullable=True),
        sa.Column("pnl", DECIMAL, nullable=True),
        sa.Column("strategy", TEXT, nullable=True),
    )
    _create(
        "older_signals",
        sa.Column("symbol", TEXT, nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("action", TEXT, nullable=False),
        sa.Column("price", DECIMAL, nullable=True),
        sa.Column("confidence", DECIMAL, nullable=True),
        sa.Column("strategy", TEXT, nullable=True),
    )
    _create(
        "older_wallets",
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("asset", TEXT, nullable=False),
        sa.Column("amount", DECIMAL, nullable=False),
    )
    _create(
        "market_snapshots",
        sa.Column("symbol", TEXT, nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("price", DECIMAL, nullable=False),
        sa.Column("volume", DECIMAL, nullable=True),
    )


def downgrade() -> None:
    for name in ("market_snapshots", "older_wallets", "older_signals", "older_trades"):
        op.drop_index(f"ix_{name}_time", table_name=name)
        op.drop_table(name)


def _create(name: str, *columns: sa.Column[object]) -> None:
    symbol = [sa.ForeignKeyConstraint(["symbol"], ["symbols.symbol"], name=f"fk_{name}_symbol")]
    op.create_table(
        name,
        sa.Column("source", TEXT, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        *columns,
        sa.Column("rest", JSON, nullable=False),
        sa.Column("digest", TEXT, nullable=False),
        *(symbol if any(column.name == "symbol" for column in columns) else ()),
        sa.PrimaryKeyConstraint("source", "number", name=f"pk_{name}"),
    )
    op.create_index(f"ix_{name}_time", name, ["time"], unique=False)
