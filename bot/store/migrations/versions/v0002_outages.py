"""For how long steps have waited for what does not answer."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "ptq_outages",
        sa.Column("step", sa.String(255), primary_key=True),
        sa.Column("seconds", sa.Double, nullable=False),
        sa.Column("updated_at", sa.String(32), nullable=False),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("ptq_outages")
