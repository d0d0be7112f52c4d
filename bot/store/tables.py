"""The tables: what ptq must not forget. Every time is aware UTC, stored as ISO 8601 text."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.types import TypeDecorator

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class UtcTime(TypeDecorator[datetime]):
    """Aware UTC as sortable ISO 8601 text, the same in SQLite and Postgres."""

    impl = sa.String(32)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        """Write UTC with microseconds, so that text order is time order."""
        del dialect
        if value is None:
            return None
        return value.astimezone(UTC).isoformat(timespec="microseconds")

    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:
        """Read it back aware."""
        del dialect
        return None if value is None else datetime.fromisoformat(value)


deliveries = sa.Table(
    "ptq_deliveries",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True, comment="X-GitHub-Delivery"),
    sa.Column("event", sa.String(64), nullable=False),
    sa.Column("received_at", UtcTime, nullable=False),
    sa.Column(
        "state", sa.String(16), nullable=False, comment="ignored; waiting, queued, handled, failed"
    ),
    sa.Column("payload", sa.Text, comment="only of deliveries that hold a command"),
    sa.Column("handled_at", UtcTime),
    sa.Column("problem", sa.Text),
    sa.Index("ix_ptq_deliveries_state", "state", "received_at"),
)

failed_deliveries = sa.Table(
    "ptq_failed_deliveries",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True, comment="X-GitHub-Delivery"),
    sa.Column("attempt_id", sa.BigInteger, nullable=False, comment="GitHub's id of one try"),
    sa.Column("failed_at", UtcTime, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False, comment="how often we had it redelivered"),
    sa.Column("next_at", UtcTime, nullable=False),
)

watermarks = sa.Table(
    "ptq_watermarks",
    metadata,
    sa.Column("name", sa.String(300), primary_key=True, comment="what is read in passes"),
    sa.Column("at", UtcTime, nullable=False, comment="everything before it was handled"),
)

turns = sa.Table(
    "ptq_turns",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True, comment="a pass of the sweeper"),
    sa.Column("due_at", UtcTime, nullable=False),
)

commands = sa.Table(
    "ptq_commands",
    metadata,
    sa.Column("repository", sa.String(255), primary_key=True),
    sa.Column("source", sa.String(80), primary_key=True, comment="comment/ID, delivery/GUID"),
    sa.Column("ordinal", sa.Integer, primary_key=True),
    sa.Column("delivery_id", sa.String(64), nullable=False),
    sa.Column(
        "outcome", sa.String(32), nullable=False, comment="job, known, refused, mistake, help"
    ),
    sa.Column("job_id", sa.String(128)),
    sa.Column("created_at", UtcTime, nullable=False),
)

jobs = sa.Table(
    "ptq_jobs",
    metadata,
    sa.Column("id", sa.String(128), primary_key=True),
    sa.Column("run", sa.Integer, nullable=False),
    sa.Column("repository", sa.String(255), nullable=False),
    sa.Column("issue_number", sa.Integer, comment="none for a free task of a terminal"),
    sa.Column(
        "unfinished", sa.String(300), comment="owner/name#issue, or its id, until the job has ended"
    ),
    sa.Column("request", sa.JSON, nullable=False, comment="bot.models.JobRequest"),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("states", sa.JSON, nullable=False, comment="state → when it began"),
    sa.Column("machine", sa.String(64)),
    sa.Column("lost_machine", sa.String(64), comment="the one that died under it"),
    sa.Column("progress", sa.JSON, comment="bot.models.AgentProgress"),
    sa.Column("build", sa.JSON, comment="bot.models.TorchBuild"),
    sa.Column("outcome", sa.JSON, comment="bot.models.Outcome"),
    sa.Column("progress_comment_id", sa.BigInteger),
    sa.Column("progress_comment_url", sa.Text),
    sa.Column("closing_comment_id", sa.BigInteger),
    sa.Column("closing_comment_url", sa.Text),
    sa.Column("reported_at", UtcTime, comment="when the progress comment got its last form"),
    sa.Column("told_at", UtcTime, comment="when nothing was owed to people any more"),
    sa.Column("pull_number", sa.Integer),
    sa.Column("pull_url", sa.Text),
    sa.Column("stop_kind", sa.String(16), comment="bot.models.StopKind, once it is to stop"),
    sa.Column("kill_requested_by", sa.String(64)),
    sa.Column("created_at", UtcTime, nullable=False),
    sa.Column("updated_at", UtcTime, nullable=False),
    sa.UniqueConstraint("unfinished"),
    sa.Index("ix_ptq_jobs_issue", "repository", "issue_number", "created_at"),
    sa.Index("ix_ptq_jobs_state", "state", "created_at"),
)

leases = sa.Table(
    "ptq_leases",
    metadata,
    sa.Column("id", sa.String(160), primary_key=True),
    sa.Column("job_id", sa.String(128), sa.ForeignKey("ptq_jobs.id"), nullable=False),
    sa.Column("repository", sa.String(255), nullable=False),
    sa.Column("person", sa.BigInteger, nullable=False, comment="GitHub's id of who asked"),
    sa.Column("provider", sa.String(32), nullable=False),
    sa.Column("state", sa.String(16), nullable=False, comment="requested, active, released"),
    sa.Column("gpu_type", sa.String(32), nullable=False),
    sa.Column("gpus", sa.Integer, nullable=False),
    sa.Column("wanted_machine", sa.String(64), comment="asked for by name"),
    sa.Column("repository_limit", sa.Integer, comment="jobs at once, as the repository says"),
    sa.Column("person_limit", sa.Integer, comment="the same of one person's"),
    sa.Column("machine", sa.String(64)),
    sa.Column("slot", sa.Integer),
    sa.Column("requested_at", UtcTime, nullable=False),
    sa.Column("admitted_at", UtcTime, comment="when it was its turn"),
    sa.Column("expires_at", UtcTime, nullable=False),
    sa.Column("extensions", sa.JSON, nullable=False, comment="which command → hours"),
    sa.Column("released_at", UtcTime),
    sa.Column("cleaned_at", UtcTime, comment="when the job's directory there was removed"),
    sa.Column("lost_at", UtcTime, comment="when its machine had died under it"),
    sa.Column("is_haunted", sa.Boolean, nullable=False, comment="an agent may still run on it"),
    sa.Index("ix_ptq_leases_state", "state", "machine"),
    sa.Index("ix_ptq_leases_job", "job_id"),
    sa.Index("ix_ptq_leases_admitted_at", "admitted_at"),
    sa.Index("ix_ptq_leases_lost_at", "lost_at"),
)

configurations = sa.Table(
    "ptq_configurations",
    metadata,
    sa.Column("repository", sa.String(255), primary_key=True, comment="in lower case"),
    sa.Column("text", sa.Text, nullable=False, comment="the last .github/ptq.yml that was right"),
    sa.Column("read_at", UtcTime, nullable=False),
)

workers = sa.Table(
    "ptq_workers",
    metadata,
    sa.Column("id", sa.String(128), primary_key=True, comment="the engine's executor id"),
    sa.Column("host", sa.String(255), nullable=False),
    sa.Column("process", sa.Integer, nullable=False, comment="its id on the host"),
    sa.Column("state", sa.String(16), nullable=False, comment="working, left, dead"),
    # Seconds since 1970 by the database's own clock: those of two hosts differ.
    sa.Column("started_at", sa.Double, nullable=False),
    sa.Column("beat_at", sa.Double, nullable=False),
    sa.Column("ended_at", sa.Double),
    sa.Column("taken_by", sa.String(128), comment="the worker that noticed"),
    sa.Index("ix_ptq_workers_state", "state", "beat_at"),
)

comments = sa.Table(
    "ptq_comments",
    metadata,
    sa.Column("marker", sa.String(255), primary_key=True, comment="bot.render.Marker"),
    sa.Column("repository", sa.String(255), nullable=False),
    sa.Column("issue_number", sa.Integer, nullable=False),
    sa.Column("first_claimed_at", UtcTime, nullable=False),
    sa.Column("claimed_at", UtcTime, nullable=False),
    sa.Column("claimed_by", sa.String(128), nullable=False, comment="a worker's id"),
    sa.Column("comment_id", sa.BigInteger, comment="once it is known to be there"),
    sa.Column("url", sa.Text),
    sa.Column("look_at", UtcTime, comment="when to look again for a second one"),
    sa.Index("ix_ptq_comments_look_at", "look_at"),
)

outages = sa.Table(
    "ptq_outages",
    metadata,
    sa.Column("step", sa.String(255), primary_key=True, comment="workflow/number of its step"),
    sa.Column("seconds", sa.Double, nullable=False, comment="for which it was tried in vain"),
    sa.Column("updated_at", UtcTime, nullable=False),
)

documents = sa.Table(
    "ptq_documents",
    metadata,
    sa.Column("job_id", sa.String(128), sa.ForeignKey("ptq_jobs.id"), primary_key=True),
    sa.Column("run", sa.Integer, primary_key=True),
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("created_at", UtcTime, nullable=False),
)
