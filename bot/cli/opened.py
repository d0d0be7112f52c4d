"""The rows that a command reads and writes, beside whoever carries out the jobs."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.errors import CommandError
from bot.models import JobId
from bot.store import Database, Documents, Jobs, Leases

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

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
        try:
            found = await self.jobs.newest_of_issue(int(name)) if name.isdecimal() else None
            return found or await self.jobs.get(JobId(name))
        except LookupError as error:
            raise CommandError(f"there is no job {name} in this database") from error


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
