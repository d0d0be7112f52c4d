"""A request becomes a job, once: the unique row of an issue's unfinished job."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa

from bot.models import DeliveryId, JobId, JobRequest, JobState
from bot.store import tables
from bot.store.deliveries import claim_command, source_of
from bot.store.documents import keep

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_TABLE = tables.jobs


@dataclass(frozen=True, slots=True)
class Accepted:
    """What became of a request for a job."""

    job_id: JobId | None
    """None when the same comment, delivered twice, was answered otherwise a moment ago."""
    is_new: bool
    """False when the issue has an unfinished job: ``job_id`` is that one."""


def accept(
    connection: sa.Connection,
    draft: JobRequest,
    delivery_id: DeliveryId,
    ordinal: int,
    enqueue: Callable[[sa.Connection, JobId], None],
    documents: Mapping[str, str],
) -> Accepted:
    """Make the job and enqueue its workflow in the caller's transaction; see Jobs.accept."""
    repository = str(draft.repository)
    if connection.dialect.name == "postgresql":
        lock = sa.func.hashtextextended(repository, 0)
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(lock)))
    source = source_of(draft.command_comment_id, delivery_id)
    before = _command(connection, repository, source, ordinal)
    if before is not None:
        return Accepted(before["job_id"], is_new=before["outcome"] == "job")
    key = _unfinished_key(draft)
    existing = key and connection.scalar(sa.select(_TABLE.c.id).where(_TABLE.c.unfinished == key))
    job_id = JobId(existing) if existing else _unique(connection, draft.job_id)
    claim_command(
        connection,
        repository,
        draft.command_comment_id,
        ordinal,
        delivery_id,
        "known" if existing else "job",
        job_id,
    )
    if existing:
        return Accepted(job_id, is_new=False)
    request = draft.model_copy(update={"job_id": job_id})
    now = datetime.now(UTC)
    connection.execute(
        _TABLE.insert().values(
            id=job_id,
            run=request.run,
            repository=repository,
            issue_number=request.issue_number,
            unfinished=key or job_id,
            request=request.model_dump(mode="json"),
            state=JobState.RECEIVED.value,
            states={JobState.RECEIVED.value: now.isoformat()},
            created_at=now,
            updated_at=now,
        )
    )
    for name, text in documents.items():
        keep(connection, job_id, request.run, name, text)
    enqueue(connection, job_id)
    return Accepted(job_id, is_new=True)


def _unfinished_key(request: JobRequest) -> str | None:
    """Return what one unfinished job may have; None for a free task, of which there may be many."""
    if request.issue_number is None:
        return None
    return f"{str(request.repository).lower()}#{request.issue_number}"


def _command(
    connection: sa.Connection, repository: str, source: str, ordinal: int
) -> sa.RowMapping | None:
    table = tables.commands
    return (
        connection.execute(
            sa.select(table.c.outcome, table.c.job_id).where(
                table.c.repository == repository,
                table.c.source == source,
                table.c.ordinal == ordinal,
            )
        )
        .mappings()
        .one_or_none()
    )


def _unique(connection: sa.Connection, wanted: JobId) -> JobId:
    """``wanted``, or ``wanted-2``, ``wanted-3`` … when there was one that day."""
    taken = set(
        connection.scalars(
            sa.select(_TABLE.c.id).where(
                (_TABLE.c.id == wanted) | _TABLE.c.id.startswith(f"{wanted}-", autoescape=True)
            )
        )
    )
    job_id, number = wanted, 1
    while job_id in taken:
        number += 1
        job_id = JobId(f"{wanted}-{number}")
    return job_id
