"""The ids of jobs, for lists and for the shell's completion."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from bot.models import JobId
from bot.store import tables

if TYPE_CHECKING:
    from bot.store.database import Database

_TABLE = tables.jobs


class JobIds:
    """Finds the ids of jobs, of whatever repository."""

    def __init__(self, database: Database) -> None:
        """Work on this database."""
        self._database = database

    async def listed(self, *, limit: int, machine: str | None = None) -> list[JobId]:
        """Return the unfinished jobs, then the others, newest first.

        With ``machine``, those only that it was ever lent to.
        """
        return await self._database.call(_listed, limit, machine)

    async def of_issue(self, number: int) -> dict[str, JobId]:
        """Return the newest job of the issues of this number, by repository, newest first."""
        return await self._database.call(_of_issue, number)

    async def beginning_with(self, text: str, *, limit: int) -> list[JobId]:
        """Return the newest ids that begin so."""
        return await self._database.call(_beginning_with, text, limit)


def _listed(connection: sa.Connection, limit: int, machine: str | None) -> list[JobId]:
    leases = tables.leases
    lent = sa.exists().where(leases.c.job_id == _TABLE.c.id, leases.c.machine == machine)
    ids = connection.scalars(
        sa.select(_TABLE.c.id)
        .where(sa.true() if machine is None else lent)
        .order_by(_TABLE.c.unfinished.is_(None), _TABLE.c.created_at.desc())
        .limit(limit)
    )
    return [JobId(job_id) for job_id in ids]


def _of_issue(connection: sa.Connection, number: int) -> dict[str, JobId]:
    rows = connection.execute(
        sa.select(_TABLE.c.repository, _TABLE.c.id)
        .where(_TABLE.c.issue_number == number)
        .order_by(_TABLE.c.created_at.desc())
    )
    newest: dict[str, JobId] = {}
    for repository, job_id in rows:
        newest.setdefault(repository, JobId(job_id))
    return newest


def _beginning_with(connection: sa.Connection, text: str, limit: int) -> list[JobId]:
    ids = connection.scalars(
        sa.select(_TABLE.c.id)
        .where(_TABLE.c.id.startswith(text, autoescape=True))
        .order_by(_TABLE.c.created_at.desc())
        .limit(limit)
    )
    return [JobId(job_id) for job_id in ids]
