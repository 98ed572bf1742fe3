"""A position knows that it is to be closed, and why: an exit that was refused is tried again after a restart, too."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("positions", sa.Column("leaving", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("positions", "leaving")
