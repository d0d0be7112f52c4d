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
from bot.store.next_run import begin_next_run, unfinished_key

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
    run: int = 1


def accept(
    connection: sa.Connection,
    draft: JobRequest,
    delivery_id: DeliveryId,
    ordinal: int,
    enqueue: Callable[[sa.Connection, JobRequest], None],
    documents: Mapping[str, str],
    again: JobId | None,
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
    last = None if again is None else _row(connection, again)
    existing = _unfinished(connection, draft, last)
    job_id = existing or (again if last is not None else None) or _unique(connection, draft.job_id)
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
    if last is not None:
        request = begin_next_run(connection, last, draft)
    else:
        request = _begin(connection, draft.model_copy(update={"job_id": job_id}))
    for name, text in documents.items():
        keep(connection, job_id, request.run, name, text)
    enqueue(connection, request)
    return Accepted(job_id, is_new=True, run=request.run)


def _begin(connection: sa.Connection, request: JobRequest) -> JobRequest:
    now = datetime.now(UTC)
    connection.execute(
        _TABLE.insert().values(
            id=request.job_id,
            run=request.run,
            repository=str(request.repository),
            issue_number=request.issue_number,
            unfinished=unfinished_key(request),
            request=request.model_dump(mode="json"),
            state=JobState.RECEIVED.value,
            states={JobState.RECEIVED.value: now.isoformat()},
            created_at=now,
            updated_at=now,
        )
    )
    return request


def _unfinished(
    connection: sa.Connection, draft: JobRequest, last: sa.RowMapping | None
) -> JobId | None:
    """Return the unfinished job that stands in the way of a new one, or of the next run."""
    if last is not None and last["unfinished"] is not None:
        return JobId(last["id"])
    request = draft if last is None else JobRequest.model_validate(last["request"])
    key = unfinished_key(request)
    if key == request.job_id:
        return None
    existing = connection.scalar(sa.select(_TABLE.c.id).where(_TABLE.c.unfinished == key))
    return JobId(existing) if existing else None


def _row(connection: sa.Connection, job_id: JobId) -> sa.RowMapping | None:
    """Return the row of an earlier job, to be changed; None once it is old and was deleted."""
    query = sa.select(_TABLE).where(_TABLE.c.id == job_id).with_for_update()
    return connection.execute(query).mappings().one_or_none()


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
