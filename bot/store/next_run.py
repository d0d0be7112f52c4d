"""The next run of a job: the row is that of the newest run, the earlier ones are documents."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bot.models import JobRequest, JobState
from bot.store import tables
from bot.store.documents import keep

if TYPE_CHECKING:
    import sqlalchemy as sa

RUN = "run.json"
"""The document that keeps a run's row, once there is a later run."""

_TABLE = tables.jobs
_OF_THE_JOB = frozenset(
    {
        "id",
        "run",
        "repository",
        "issue_number",
        "unfinished",
        "request",
        "state",
        "states",
        "created_at",
        "updated_at",
    }
)
_OF_A_RUN = tuple(column.name for column in _TABLE.columns if column.name not in _OF_THE_JOB)
"""What begins anew with each run."""


def unfinished_key(request: JobRequest) -> str:
    """Return what one unfinished job may have: its issue, or itself where it is a free task."""
    if request.issue_number is None or request.task:
        return request.job_id
    return f"{str(request.repository).lower()}#{request.issue_number}"


def begin_next_run(connection: sa.Connection, last: sa.RowMapping, draft: JobRequest) -> JobRequest:
    """Make an ended job's row that of its next run, in the caller's transaction; return what it is.

    The job keeps its id, its task and its issue; the rest is what is asked for now.
    """
    request = JobRequest.model_validate(last["request"])
    job_id = request.job_id
    kept = {name: last[name] for name in ("request", "state", "states", *_OF_A_RUN)}
    keep(connection, job_id, request.run, RUN, json.dumps(kept, default=_as_text))
    wanted = draft.model_copy(
        update={
            "job_id": job_id,
            "run": request.run + 1,
            "task": request.task,
            "issue_number": request.issue_number,
        }
    )
    now = datetime.now(UTC)
    connection.execute(
        _TABLE.update()
        .where(_TABLE.c.id == job_id)
        .values(
            run=wanted.run,
            request=wanted.model_dump(mode="json"),
            unfinished=unfinished_key(wanted),
            state=JobState.RECEIVED.value,
            states={JobState.RECEIVED.value: now.isoformat()},
            # It waits from now on, and not since its first run.
            created_at=now,
            updated_at=now,
            **dict.fromkeys(_OF_A_RUN),
        )
    )
    return wanted


def _as_text(value: object) -> str:
    """Write the one thing of a row that JSON does not know."""
    if not isinstance(value, datetime):
        raise TypeError(type(value))
    return value.isoformat()
