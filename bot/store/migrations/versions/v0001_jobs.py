"""Deliveries, commands, jobs, leases, configurations, workers, comments and documents."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the first tables."""
    op.create_table(
        "ptq_deliveries",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("event", sa.String(64), nullable=False),
        sa.Column("received_at", sa.String(32), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("payload", sa.Text),
        sa.Column("handled_at", sa.String(32)),
        sa.Column("problem", sa.Text),
    )
    op.create_index("ix_ptq_deliveries_state", "ptq_deliveries", ["state", "received_at"])
    op.create_table(
        "ptq_failed_deliveries",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("attempt_id", sa.BigInteger, nullable=False),
        sa.Column("failed_at", sa.String(32), nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("next_at", sa.String(32), nullable=False),
    )
    op.create_table(
        "ptq_watermarks",
        sa.Column("name", sa.String(300), primary_key=True),
        sa.Column("at", sa.String(32), nullable=False),
    )
    op.create_table(
        "ptq_turns",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("due_at", sa.String(32), nullable=False),
    )
    op.create_table(
        "ptq_commands",
        sa.Column("repository", sa.String(255), primary_key=True),
        sa.Column("source", sa.String(80), primary_key=True),
        sa.Column("ordinal", sa.Integer, primary_key=True),
        sa.Column("delivery_id", sa.String(64), nullable=False),
        sa.Column("outcome", sa.String(32), nullable=False),
        sa.Column("job_id", sa.String(128)),
        sa.Column("created_at", sa.String(32), nullable=False),
    )
    op.create_table(
        "ptq_jobs",
        sa.Column("id", sa.String(128), primary_key=True),
        sa.Column("run", sa.Integer, nullable=False),
        sa.Column("repository", sa.String(255), nullable=False),
        sa.Column("issue_number", sa.Integer),
        sa.Column("unfinished", sa.String(300)),
        sa.Column("request", sa.JSON, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("states", sa.JSON, nullable=False),
        sa.Column("machine", sa.String(64)),
        sa.Column("lost_machine", sa.String(64)),
        sa.Column("progress", sa.JSON),
        sa.Column("build", sa.JSON),
        sa.Column("outcome", sa.JSON),
        sa.Column("progress_comment_id", sa.BigInteger),
        sa.Column("progress_comment_url", sa.Text),
        sa.Column("closing_comment_id", sa.BigInteger),
        sa.Column("closing_comment_url", sa.Text),
        sa.Column("reported_at", sa.String(32)),
        sa.Column("told_at", sa.String(32)),
        sa.Column("pull_number", sa.Integer),
        sa.Column("pull_url", sa.Text),
        sa.Column("stop_kind", sa.String(16)),
        sa.Column("kill_requested_by", sa.String(64)),
        sa.Column("created_at", sa.String(32), nullable=False),
        sa.Column("updated_at", sa.String(32), nullable=False),
        sa.UniqueConstraint("unfinished", name="uq_ptq_jobs_unfinished"),
    )
    op.create_index("ix_ptq_jobs_issue", "ptq_jobs", ["repository", "issue_number", "created_at"])
    op.create_index("ix_ptq_jobs_state", "ptq_jobs", ["state", "created_at"])
    op.create_table(
        "ptq_leases",
        sa.Column("id", sa.String(160), primary_key=True),
        sa.Column(
            "job_id",
            sa.String(128),
            sa.ForeignKey("ptq_jobs.id", name="fk_ptq_leases_job_id"),
            nullable=False,
        ),
        sa.Column("repository", sa.String(255), nullable=False),
        sa.Column("person", sa.BigInteger, nullable=False),
        sa.Column("provider", sa.String(32), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("gpu_type", sa.String(32), nullable=False),
        sa.Column("gpus", sa.Integer, nullable=False),
        sa.Column("wanted_machine", sa.String(64)),
        sa.Column("repository_limit", sa.Integer),
        sa.Column("person_limit", sa.Integer),
        sa.Column("machine", sa.String(64)),
        sa.Column("slot", sa.Integer),
        sa.Column("requested_at", sa.String(32), nullable=False),
        sa.Column("admitted_at", sa.String(32)),
        sa.Column("expires_at", sa.String(32), nullable=False),
        sa.Column("extensions", sa.JSON, nullable=False),
        sa.Column("released_at", sa.String(32)),
        sa.Column("cleaned_at", sa.String(32)),
        sa.Column("lost_at", sa.String(32)),
        sa.Column("is_haunted", sa.Boolean, nullable=False),
    )
    op.create_index("ix_ptq_leases_state", "ptq_leases", ["state", "machine"])
    op.create_index("ix_ptq_leases_job", "ptq_leases", ["job_id"])
    op.create_index("ix_ptq_leases_admitted_at", "ptq_leases", ["admitted_at"])
    op.create_index("ix_ptq_leases_lost_at", "ptq_leases", ["lost_at"])
    op.create_table(
        "ptq_configurations",
        sa.Column("repository", sa.String(255), primary_key=True),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("read_at", sa.String(32), nullable=False),
    )
    op.create_table(
        "ptq_workers",
        sa.Column("id", sa.String(128), primary_key=True),
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("process", sa.Integer, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("started_at", sa.Double, nullable=False),
        sa.Column("beat_at", sa.Double, nullable=False),
        sa.Column("ended_at", sa.Double),
        sa.Column("taken_by", sa.String(128)),
    )
    op.create_index("ix_ptq_workers_state", "ptq_workers", ["state", "beat_at"])
    op.create_table(
        "ptq_comments",
        sa.Column("marker", sa.String(255), primary_key=True),
        sa.Column("repository", sa.String(255), nullable=False),
        sa.Column("issue_number", sa.Integer, nullable=False),
        sa.Column("first_claimed_at", sa.String(32), nullable=False),
        sa.Column("claimed_at", sa.String(32), nullable=False),
        sa.Column("claimed_by", sa.String(128), nullable=False),
        sa.Column("comment_id", sa.BigInteger),
        sa.Column("url", sa.Text),
    )
    op.create_table(
        "ptq_documents",
        sa.Column(
            "job_id",
            sa.String(128),
            sa.ForeignKey("ptq_jobs.id", name="fk_ptq_documents_job_id"),
            primary_key=True,
        ),
        sa.Column("run", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("created_at", sa.String(32), nullable=False),
    )


def downgrade() -> None:
    """Drop everything."""
    for name in (
        "documents",
        "comments",
        "workers",
        "configurations",
        "leases",
        "jobs",
        "commands",
        "turns",
        "watermarks",
        "failed_deliveries",
        "deliveries",
    ):
        op.drop_table(f"ptq_{name}")
