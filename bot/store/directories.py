"""Where jobs that have ended left their directories on machines."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa

from bot.models import JobId
from bot.store import tables

if TYPE_CHECKING:
    from collections.abc import Collection

    from bot.store.database import Database

_LEASES = tables.leases
_JOBS = tables.jobs


@dataclass(frozen=True, slots=True)
class LeftDirectory:
    """The directory of an ended job, on a machine that was lent to it."""

    job_id: JobId
    provider: str
    machine: str


class LeftDirectories:
    """The directories that nobody has removed yet, as the leases tell them."""

    def __init__(self, database: Database) -> None:
        """Work on this database."""
        self._database = database

    async def of_jobs(
        self, *, ended_before: datetime, limit: int, without: Collection[str] = ()
    ) -> list[LeftDirectory]:
        """Return those of jobs that ended before a moment, oldest first, but on some machines."""
        return await self._database.call(_of_jobs, ended_before, limit, without)

    async def removed(self, left: LeftDirectory) -> None:
        """Keep that one is gone."""
        await self._database.call(_removed, left)


def _of_jobs(
    connection: sa.Connection, ended_before: datetime, limit: int, without: Collection[str]
) -> list[LeftDirectory]:
    rows = connection.execute(
        sa.select(_LEASES.c.job_id, _LEASES.c.provider, _LEASES.c.machine)
        .join(_JOBS, _JOBS.c.id == _LEASES.c.job_id)
        .where(
            _JOBS.c.unfinished.is_(None),
            _JOBS.c.updated_at < ended_before,
            _LEASES.c.state == "released",
            _LEASES.c.machine.is_not(None),
            _LEASES.c.machine.not_in(without),
            _LEASES.c.cleaned_at.is_(None),
        )
        .group_by(_LEASES.c.job_id, _LEASES.c.provider, _LEASES.c.machine)
        .order_by(sa.func.min(_LEASES.c.requested_at))
        .limit(limit)
    )
    return [LeftDirectory(JobId(row.job_id), row.provider, row.machine) for row in rows]


def _removed(connection: sa.Connection, left: LeftDirectory) -> None:
    connection.execute(
        _LEASES.update()
        .where(
            _LEASES.c.job_id == left.job_id,
            _LEASES.c.provider == left.provider,
            _LEASES.c.machine == left.machine,
            _LEASES.c.state == "released",
        )
        .values(cleaned_at=datetime.now(UTC))
    )
