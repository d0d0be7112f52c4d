"""The jobs of one repository, as people ask for them: by a name, or all of them in a list."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from bot.store import tables
from bot.store.jobs import job_of

if TYPE_CHECKING:
    from bot.models import JobId, RepositoryName
    from bot.store.database import Database
    from bot.store.jobs import Job

_TABLE = tables.jobs


class RepositoryJobs:
    """Finds jobs, and never those of another repository."""

    def __init__(self, database: Database) -> None:
        """Work on this database."""
        self._database = database

    async def find(
        self, repository: RepositoryName, named: JobId | int, *, running_first: bool = False
    ) -> Job | None:
        """Return the job of this id, or the newest one of a thread's number, or None.

        The thread of a draft pull request leads to the job that opened it. With ``running_first``
        an older job that has not ended comes before newer ones that have.
        """
        return await self._database.call(_find, str(repository), named, running_first=running_first)

    async def newest_of_issue(self, repository: RepositoryName, number: int) -> Job | None:
        """Return the newest job that investigates an issue itself, and no free task under it."""
        return await self._database.call(_of_issue, str(repository), number)

    async def listed(self, repository: RepositoryName, *, limit: int) -> tuple[list[Job], int]:
        """Return the unfinished jobs, then the others, newest first; and how many there are."""
        return await self._database.call(_listed, str(repository), limit)


def _here(repository: str) -> sa.ColumnElement[bool]:
    # GitHub's names count in any case.
    return sa.func.lower(_TABLE.c.repository) == repository.lower()


def _find(
    connection: sa.Connection, repository: str, named: JobId | int, *, running_first: bool
) -> Job | None:
    if isinstance(named, int):
        which = (_TABLE.c.issue_number == named) | (_TABLE.c.pull_number == named)
    else:
        which = _TABLE.c.id == named
    order = [_TABLE.c.unfinished.is_(None)] if running_first else []
    return _first(connection, _here(repository) & which, *order)


def _of_issue(connection: sa.Connection, repository: str, number: int) -> Job | None:
    jobs = connection.execute(
        sa.select(_TABLE)
        .where(_here(repository), _TABLE.c.issue_number == number)
        .order_by(_TABLE.c.created_at.desc())
    ).mappings()
    return next((job for job in map(job_of, jobs) if not job.request.task), None)


def _first(
    connection: sa.Connection,
    which: sa.ColumnElement[bool],
    *order: sa.ColumnElement[bool],
) -> Job | None:
    row = (
        connection.execute(
            sa.select(_TABLE).where(which).order_by(*order, _TABLE.c.created_at.desc()).limit(1)
        )
        .mappings()
        .one_or_none()
    )
    return None if row is None else job_of(row)


def _listed(connection: sa.Connection, repository: str, limit: int) -> tuple[list[Job], int]:
    rows = connection.execute(
        sa.select(_TABLE)
        .where(_here(repository))
        .order_by(_TABLE.c.unfinished.is_(None), _TABLE.c.created_at.desc())
        .limit(limit)
    ).mappings()
    count = sa.select(sa.func.count()).select_from(_TABLE).where(_here(repository))
    return [job_of(row) for row in rows], connection.execute(count).scalar_one()
