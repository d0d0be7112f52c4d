"""The rows that a command reads and writes, beside whoever carries out the jobs."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.commands import job_named
from bot.errors import CommandError
from bot.store import Database, Documents, JobIds, Jobs, Leases

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from bot.models import JobId
    from bot.settings import Settings
    from bot.store import Job


@dataclass(frozen=True, slots=True)
class Opened:
    """An open database."""

    settings: Settings
    database: Database
    jobs: Jobs
    documents: Documents
    leases: Leases

    async def job(self, name: str) -> Job:
        """Return a job by its id, or the newest of an issue's number; raise CommandError."""
        named = job_named(name)
        if isinstance(named, int):
            named = await self._of_issue(named)
        job = None if named is None else await self._known(named)
        if job is None:
            raise CommandError(f"there is no job {name} in this database: `ptq list` shows them")
        return job

    async def _of_issue(self, number: int) -> JobId | None:
        found = await JobIds(self.database).of_issue(number)
        if len(found) > 1:
            each = ", ".join(f"{job_id} of {repository}" for repository, job_id in found.items())
            raise CommandError(
                f"#{number} is an issue of several repositories, so name one: {each}"
            )
        return next(iter(found.values()), None)

    async def _known(self, job_id: JobId) -> Job | None:
        try:
            return await self.jobs.get(job_id)
        except LookupError:
            return None


def lock_of(settings: Settings) -> Path:
    """Return the file that the one process holds which carries out a state directory's jobs."""
    return settings.state / "serve.lock"


@asynccontextmanager
async def opened(settings: Settings) -> AsyncGenerator[Opened]:
    """Open the database; raise ConfigurationError when it is not there, or is an old one."""
    database = await asyncio.to_thread(Database, settings.database)
    try:
        await database.require_current()
        yield Opened(settings, database, Jobs(database), Documents(database), Leases(database))
    finally:
        await database.close()
