"""The earlier runs of a job, as they ended."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from bot.store import tables
from bot.store.jobs import job_of
from bot.store.next_run import RUN

if TYPE_CHECKING:
    from bot.models import JobId
    from bot.store.database import Database
    from bot.store.jobs import Job

_TABLE = tables.documents


class Runs:
    """Reads what ``next_run`` kept."""

    def __init__(self, database: Database) -> None:
        """Work on this database."""
        self._database = database

    async def earlier(self, job_id: JobId, run: int) -> list[Job]:
        """Return the runs of a job before this one as they ended, oldest first."""
        return await self._database.call(_earlier, job_id, run)


def _earlier(connection: sa.Connection, job_id: JobId, run: int) -> list[Job]:
    texts = connection.scalars(
        sa.select(_TABLE.c.text)
        .where(_TABLE.c.job_id == job_id, _TABLE.c.name == RUN, _TABLE.c.run < run)
        .order_by(_TABLE.c.run)
    )
    return [job_of(_row(text)) for text in texts]


def _row(text: str) -> dict[str, Any]:
    # What a later version adds to the row is not in what an earlier one kept.
    return {**dict.fromkeys(column.name for column in tables.jobs.columns), **json.loads(text)}
