"""What losses are measured from, and the kill switch."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

DECIMAL = sa.Text().with_variant(sa.Numeric(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "kill_switch",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("is_on", sa.Boolean(), nullable=False),
        sa.Column("flatten", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("resets", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_kill_switch"),
    )
    op.create_table(
        "limit_marks",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("day_equity", DECIMAL, nullable=False),
        sa.Column("day_lost", sa.Boolean(), nullable=False),
        sa.Column("highest", DECIMAL, nullable=False),
        sa.Column("drawn_down", sa.Boolean(), nullable=False),
        sa.Column("resets", sa.Integer(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_limit_marks_one_row")),
        sa.PrimaryKeyConstraint("id", name="pk_limit_marks"),
    )


def downgrade() -> None:
    op.drop_table("limit_marks")
    op.drop_table("kill_switch")
