"""What is old is deleted: rows of ours, records of the engine, files of this host."""

from __future__ import annotations

import asyncio
import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

from bot.models import JobId

if TYPE_CHECKING:
    from pathlib import Path

    from bot.durable import Engine
    from bot.settings import RetentionSettings
    from bot.store import Jobs, Pruning

FILES_NOT_REMOVED = "files_not_removed"

_log = structlog.stdlib.get_logger(__name__)


class OldRecords:
    """The pass over the database, in batches that keep nobody waiting."""

    def __init__(self, retention: RetentionSettings, pruning: Pruning, engine: Engine) -> None:
        """Keep what the settings say."""
        self._retention = retention
        self._pruning = pruning
        self._engine = engine

    async def run(self) -> dict[str, int]:
        """Delete what is old; return how many rows of each kind."""
        now, retention, pruning = datetime.now(UTC), self._retention, self._pruning
        done = {
            "deliveries": await pruning.deliveries(
                ignored_before=now - retention.ignored_deliveries,
                handled_before=now - retention.deliveries,
            ),
            "commands": await pruning.commands(now - retention.jobs),
            "comments": await pruning.comments(now - retention.jobs),
            "jobs": await pruning.jobs(now - retention.jobs),
            "outages": await pruning.outages(now - retention.workflows),
            "workflows": await self._engine.delete_ended(now - retention.workflows),
        }
        await pruning.shrink()
        return done


class OldFiles:
    """The pass over the artifacts that lie on this host."""

    def __init__(self, retention: RetentionSettings, directory: Path, jobs: Jobs) -> None:
        """Look after the job directories in this one."""
        self._retention = retention
        self._directory = directory
        self._jobs = jobs

    async def run(self) -> dict[str, int]:
        """Remove what is old; return how many directories that were."""
        before = datetime.now(UTC) - self._retention.jobs
        removed = 0
        for directory in await asyncio.to_thread(_older, self._directory, before):
            if not await self._jobs.is_unfinished(JobId(directory.name)):
                removed += await asyncio.to_thread(_removed, directory)
        return {"files": removed}


def _older(directory: Path, before: datetime) -> list[Path]:
    """Return the directories in which nothing was made since."""
    if not directory.is_dir():
        return []
    there = [path for path in directory.iterdir() if path.is_dir() and not path.is_symlink()]
    return [path for path in there if _newest(path) < before.timestamp()]


def _newest(directory: Path) -> float:
    return max(path.lstat().st_mtime for path in (directory, *directory.iterdir()))


def _removed(directory: Path) -> bool:
    try:
        shutil.rmtree(directory)
    except OSError as error:
        _log.warning(FILES_NOT_REMOVED, directory=directory.name, reason=str(error))
        return False
    return True
