"""When to look again for a second comment that two may have posted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; the process that was there before leaves it empty."""
    with op.batch_alter_table("ptq_comments") as table:
        table.add_column(sa.Column("look_at", sa.String(32)))
    op.create_index("ix_ptq_comments_look_at", "ptq_comments", ["look_at"])


def downgrade() -> None:
    """Drop it."""
    op.drop_index("ix_ptq_comments_look_at", "ptq_comments")
    with op.batch_alter_table("ptq_comments") as table:
        table.drop_column("look_at")
