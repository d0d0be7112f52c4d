"""How far the running agents are: kept at once, written now and then, for all jobs together.

An agent's log says something new every second, and there may be hundreds of agents: a transaction
for each would keep the database busy with nothing else.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import SQLAlchemyError

from bot.errors import Paused
from bot.log import Outage
from bot.store import tables

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    from bot.models import AgentProgress, JobId
    from bot.store.database import Database

PROGRESS_NOT_WRITTEN = "progress_not_written"
EVERY = timedelta(seconds=0.5)
"""Between two writes; the first one is done at once."""

_log = structlog.stdlib.get_logger(__name__)


class LiveProgress:
    """What the agents' logs say, on its way to the rows of their jobs."""

    def __init__(self, database: Database) -> None:
        """Write into this database."""
        self._database = database
        self._kept: dict[JobId, AgentProgress] = {}
        self._some = asyncio.Event()
        self._writing = asyncio.Lock()
        self._readers = 0
        self._writer: asyncio.Task[None] | None = None
        self._outage = Outage(_log, PROGRESS_NOT_WRITTEN)

    def keep(self, job_id: JobId, progress: AgentProgress) -> None:
        """Have a job's progress written soon; only the newest counts."""
        self._kept[job_id] = progress
        self._some.set()

    async def write(self) -> None:
        """Write what is kept."""
        async with self._writing:  # an older word must not come last
            kept, self._kept = self._kept, {}
            try:
                if kept:
                    await self._database.call(_write, kept)
            except (SQLAlchemyError, Paused):
                self._kept = {**kept, **self._kept}
                raise

    @asynccontextmanager
    async def written(self) -> AsyncGenerator[None]:
        """See to it that what is kept is written while the block runs, and when it has ended."""
        self._readers += 1
        if self._writer is None:
            self._writer = asyncio.create_task(self._write_often())
        try:
            yield
        finally:
            self._readers -= 1
            if not self._readers:
                writer, self._writer = self._writer, None
                writer.cancel()
                await asyncio.wait({writer})
        await self.write()

    async def _write_often(self) -> None:
        while True:
            await self._some.wait()
            self._some.clear()
            try:
                await asyncio.shield(self.write())
                self._outage.is_over()
            except (SQLAlchemyError, Paused) as error:
                self._some.set()
                self._outage.goes_on(error)
            await asyncio.sleep(EVERY.total_seconds())


def _write(connection: sa.Connection, kept: Mapping[JobId, AgentProgress]) -> None:
    table = tables.jobs
    statement = (
        table.update()
        .where(table.c.id == sa.bindparam("job"))
        .values(progress=sa.bindparam("told"), updated_at=sa.bindparam("now"))
    )
    now = datetime.now(UTC)
    rows = [
        {"job": job_id, "told": progress.model_dump(mode="json"), "now": now}
        for job_id, progress in kept.items()
    ]
    connection.execute(statement, rows)
