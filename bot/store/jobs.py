"""The jobs: one row each, the truth about where a job is and what it made on GitHub."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from bot.models import (
    AgentProgress,
    DeliveryId,
    JobId,
    JobRequest,
    JobState,
    RepositoryName,
    StopKind,
    TorchBuild,
)
from bot.store import tables
from bot.store.acceptance import Accepted, accept
from bot.store.live_progress import LiveProgress

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from bot.models import PullRequest
    from bot.store.database import Database

_TABLE = tables.jobs


@dataclass(frozen=True, slots=True)
class Job:
    """One job as it is now."""

    request: JobRequest
    state: JobState
    states: dict[JobState, datetime]
    machine: str | None
    lost_machine: str | None
    """The one that died under it; then ``machine`` is another, or the same again."""
    progress: AgentProgress | None
    build: TorchBuild | None
    outcome: dict[str, Any] | None
    progress_comment_id: int | None
    progress_comment_url: str | None
    closing_comment_id: int | None
    closing_comment_url: str | None
    is_reported: bool
    """Whether the progress comment has its last form."""
    pull_number: int | None
    pull_url: str | None
    kill_requested_by: str | None

    @property
    def id(self) -> JobId:
        """The job's id."""
        return self.request.job_id


class Jobs:
    """The book of jobs."""

    def __init__(self, database: Database) -> None:
        """Work on this database."""
        self._database = database
        self.progress = LiveProgress(database)
        """What the agents' logs say so far."""

    async def accept(
        self,
        draft: JobRequest,
        *,
        delivery_id: DeliveryId,
        ordinal: int,
        enqueue: Callable[[sa.Connection, JobRequest], None],
        documents: Mapping[str, str] | None = None,
        again: JobId | None = None,
    ) -> Accepted:
        """Make the job and enqueue its workflow in one transaction.

        ``draft.job_id`` is made unique here. An issue has one unfinished job: a second request
        finds that one. The same command asked again finds what it made. ``documents`` are kept
        with a new job, by their names. ``again`` names a job that has ended: then it is its next
        run, which keeps the job's id.
        """
        return await self._database.call(
            accept, draft, delivery_id, ordinal, enqueue, documents or {}, again
        )

    async def get(self, job_id: JobId) -> Job:
        """Return a job; raise LookupError for an unknown one."""
        job = await self._database.call(_get, job_id)
        if job is None:
            message = f"no job {job_id}"
            raise LookupError(message)
        return job

    async def is_unfinished(self, job_id: JobId) -> bool:
        """Whether there is such a job and it has not ended."""
        job = await self._database.call(_get, job_id)
        return job is not None and not job.state.is_end

    async def enter(self, job_id: JobId, state: JobState) -> Job:
        """Move the job to a state; its first entry keeps its time. An ended job stays ended."""
        return await self._database.call(_enter, job_id, state)

    async def set_machine(self, job_id: JobId, machine: str) -> None:
        """Keep the name of the machine, for people."""
        await self._database.call(_set, job_id, {"machine": machine})

    async def lose_machine(self, job_id: JobId, machine: str) -> None:
        """Keep the name of the machine that died, for people."""
        await self._database.call(_set, job_id, {"machine": None, "lost_machine": machine})

    async def set_build(self, job_id: JobId, build: TorchBuild) -> None:
        """Keep what the workspace runs."""
        await self._database.call(_set, job_id, {"build": build.model_dump(mode="json")})

    async def set_outcome(self, job_id: JobId, outcome: dict[str, Any]) -> None:
        """Keep how the job ends, before people are told."""
        await self._database.call(_set, job_id, {"outcome": outcome})

    async def set_progress_comment(self, job_id: JobId, comment_id: int, url: str) -> None:
        """Keep the one progress comment."""
        values = {"progress_comment_id": comment_id, "progress_comment_url": url}
        await self._database.call(_set, job_id, values)

    async def set_closing_comment(self, job_id: JobId, comment_id: int, url: str) -> None:
        """Keep the one closing comment."""
        values = {"closing_comment_id": comment_id, "closing_comment_url": url}
        await self._database.call(_set, job_id, values)

    async def set_reported(self, job_id: JobId) -> None:
        """Keep that the progress comment has its last form."""
        await self._database.call(_set, job_id, {"reported_at": datetime.now(UTC)})

    async def set_told(self, job_id: JobId) -> None:
        """Keep that nothing is owed to people any more."""
        await self._database.call(_set_told, job_id)

    async def set_pull(self, job_id: JobId, pull: PullRequest) -> None:
        """Keep the draft pull request."""
        await self._database.call(_set, job_id, {"pull_number": pull.number, "pull_url": pull.url})

    async def request_kill(self, job_id: JobId, login: str) -> bool:
        """Ask a job to stop, in whatever process it runs; False when it has ended."""
        values = {"kill_requested_by": login, "stop_kind": StopKind.KILLED.value}
        return await self._database.call(_request_stop, job_id, values)

    async def request_stop(self, job_id: JobId, kind: StopKind) -> bool:
        """Ask a job's agent to stop; False when the job has ended or is to stop already."""
        return await self._database.call(_request_stop, job_id, {"stop_kind": kind.value})

    async def stops(self, job_ids: Collection[JobId]) -> dict[JobId, StopKind]:
        """Return which of these jobs are to stop, and why."""
        return await self._database.call(_stops, job_ids)

    async def finish(self, job_id: JobId, state: JobState) -> None:
        """End the job: its issue may have another one from now on."""
        await self._database.call(_finish, job_id, state)

    async def unfinished(self) -> list[Job]:
        """Return every job that has not ended, oldest first."""
        return await self._database.call(_unfinished)

    async def untold(self, *, limit: int) -> list[Job]:
        """Return jobs that have ended, and of which something may be owed; oldest first."""
        return await self._database.call(_untold, limit)

    async def newest(self, repository: RepositoryName, issue_number: int) -> Job | None:
        """Return the newest job of an issue."""
        return await self._database.call(_newest, str(repository), issue_number)


def _get(connection: sa.Connection, job_id: JobId) -> Job | None:
    row = (
        connection.execute(sa.select(_TABLE).where(_TABLE.c.id == job_id)).mappings().one_or_none()
    )
    return None if row is None else job_of(row)


def job_of(values: sa.RowMapping | dict[str, Any]) -> Job:
    """Return the job of a row."""
    return Job(
        request=JobRequest.model_validate(values["request"]),
        state=JobState(values["state"]),
        states={
            JobState(state): datetime.fromisoformat(at) for state, at in values["states"].items()
        },
        machine=values["machine"],
        lost_machine=values["lost_machine"],
        progress=values["progress"] and AgentProgress.model_validate(values["progress"]),
        build=values["build"] and TorchBuild.model_validate(values["build"]),
        outcome=values["outcome"],
        progress_comment_id=values["progress_comment_id"],
        progress_comment_url=values["progress_comment_url"],
        closing_comment_id=values["closing_comment_id"],
        closing_comment_url=values["closing_comment_url"],
        is_reported=values["reported_at"] is not None,
        pull_number=values["pull_number"],
        pull_url=values["pull_url"],
        kill_requested_by=values["kill_requested_by"],
    )


def _enter(connection: sa.Connection, job_id: JobId, state: JobState) -> Job:
    job = _get(connection, job_id)
    if job is None:
        message = f"no job {job_id}"
        raise LookupError(message)
    if not job.state.is_end:
        times = {key.value: at.isoformat() for key, at in job.states.items()}
        times.setdefault(state.value, datetime.now(UTC).isoformat())
        _set(connection, job_id, {"state": state.value, "states": times})
    return _get(connection, job_id) or job


def _set(connection: sa.Connection, job_id: JobId, values: dict[str, Any]) -> None:
    connection.execute(
        _TABLE.update().where(_TABLE.c.id == job_id).values(**values, updated_at=datetime.now(UTC))
    )


def _set_told(connection: sa.Connection, job_id: JobId) -> None:
    """Nothing about the job itself changes by that."""
    connection.execute(
        _TABLE.update()
        # Its next run may have begun in this moment, and owes its own comments.
        .where(_TABLE.c.id == job_id, _TABLE.c.unfinished.is_(None))
        .values(told_at=datetime.now(UTC))
    )


def _request_stop(connection: sa.Connection, job_id: JobId, values: dict[str, Any]) -> bool:
    is_new = _TABLE.c.stop_kind.is_(None) | (values["stop_kind"] == StopKind.KILLED.value)
    done = connection.execute(
        _TABLE.update()
        .where(_TABLE.c.id == job_id, _TABLE.c.unfinished.is_not(None), is_new)
        .values(**values, updated_at=datetime.now(UTC))
    )
    return done.rowcount > 0


def _stops(connection: sa.Connection, job_ids: Collection[JobId]) -> dict[JobId, StopKind]:
    rows = connection.execute(
        sa.select(_TABLE.c.id, _TABLE.c.stop_kind).where(
            _TABLE.c.id.in_(job_ids), _TABLE.c.stop_kind.is_not(None)
        )
    )
    return {JobId(row.id): StopKind(row.stop_kind) for row in rows}


def _finish(connection: sa.Connection, job_id: JobId, state: JobState) -> None:
    _enter(connection, job_id, state)
    _set(connection, job_id, {"unfinished": None})


def _unfinished(connection: sa.Connection) -> list[Job]:
    rows = connection.execute(
        sa.select(_TABLE).where(_TABLE.c.unfinished.is_not(None)).order_by(_TABLE.c.created_at)
    ).mappings()
    return [job_of(row) for row in rows]


def _untold(connection: sa.Connection, limit: int) -> list[Job]:
    rows = connection.execute(
        sa.select(_TABLE)
        .where(_TABLE.c.told_at.is_(None), _TABLE.c.unfinished.is_(None))
        .order_by(_TABLE.c.created_at)
        .limit(limit)
    ).mappings()
    return [job_of(row) for row in rows]


def _newest(connection: sa.Connection, repository: str, issue_number: int) -> Job | None:
    row = (
        connection.execute(
            sa.select(_TABLE)
            .where(_TABLE.c.repository == repository, _TABLE.c.issue_number == issue_number)
            .order_by(_TABLE.c.created_at.desc())
            .limit(1)
        )
        .mappings()
        .one_or_none()
    )
    return None if row is None else job_of(row)
