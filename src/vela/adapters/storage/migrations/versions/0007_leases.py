"""Who may trade on the record, what waits to be told; on PostgreSQL, texts by code point and JSON as such."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = (
    ("decisions", "indicators"),
    ("jobs", "request"),
    ("jobs", "summary"),
    ("strategy_configs", "params"),
    ("trading_rules", "rules"),
)


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        _retype(JSON, "JSON")
        _retype(_texts("default"), 'TEXT COLLATE "C"')
    op.create_table(
        "leases",
        sa.Column("name", TEXT, nullable=False),
        sa.Column("holder", TEXT, nullable=False),
        sa.Column("token", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("name", name="pk_leases"),
    )
    op.create_table(
        "outbox",
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("message", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_outbox"),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    op.drop_table("outbox")
    op.drop_table("leases")
    if op.get_bind().dialect.name == "postgresql":
        # Symbols were sorted by code point before.
        texts = [(table, column) for table, column in _texts("C") if column != "symbol"]
        _retype(texts, 'TEXT COLLATE "default"')
        _retype(JSON, "TEXT")


def _texts(collation: str) -> list[tuple[str, str]]:
    query = sa.text(
        "SELECT relname, attname FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid "
        "JOIN pg_collation ON pg_collation.oid = attcollation "
        "WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace AND attnum > 0 AND NOT attisdropped "
        "AND relname <> 'alembic_version' AND atttypid = 'text'::regtype AND collname = :collation ORDER BY 1, attnum"
    )
    return [(row[0], row[1]) for row in op.get_bind().execute(query, {"collation": collation})]


def _retype(columns: list[tuple[str, str]] | tuple[tuple[str, str], ...], kind: str) -> None:
    using = kind.partition(" ")[0]
    for table, column in columns:
        op.execute(f'ALTER TABLE {table} ALTER COLUMN "{column}" TYPE {kind} USING "{column}"::{using}')
