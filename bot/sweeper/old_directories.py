"""The directories of old jobs on machines of ours are removed: worktree, environment, files.

A machine that does not answer is tried again by the next pass. One that the settings do not name
any more is forgotten, as is one that its provider only rents: it is gone.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from bot.errors import MachineError, WorkspaceError
from bot.models import LeaseId, Reservation
from bot.workspace import worktree
from bot.workspace.layout import Layout

if TYPE_CHECKING:
    from bot.investigation import Parts
    from bot.settings import Settings
    from bot.store import LeftDirectories, LeftDirectory

DIRECTORY_REMOVED = "directory_removed"
DIRECTORY_NOT_REMOVED = "directory_not_removed"

_AT_ONCE = 50
"""Directories of one pass."""

_log = structlog.stdlib.get_logger(__name__)


class OldDirectories:
    """The pass over what jobs left on machines."""

    def __init__(self, parts: Parts, left: LeftDirectories) -> None:
        """Remove what ``left`` knows of, on the machines of these parts."""
        self._parts = parts
        self._left = left

    async def run(self) -> dict[str, int]:
        """Remove what is old; return how many directories that were."""
        removed, silent = 0, set[str]()
        before = datetime.now(UTC) - self._parts.settings.retention.job_directories
        while True:
            known = set(silent)
            # Those on a machine that is away must not stand before all others in each pass.
            left = await self._left.of_jobs(ended_before=before, limit=_AT_ONCE, without=known)
            for one in left:
                removed += await self._put_in_order(one, silent)
            if silent == known:
                return {"directories": removed}

    async def _put_in_order(self, left: LeftDirectory, silent: set[str]) -> bool:
        """Remove a directory, unless its machine does not answer: then that is noted."""
        place = standing(self._parts.settings, left)
        if place is None:
            await self._left.removed(left)
        elif left.machine not in silent:
            try:
                return await self._remove(left, place)
            except (MachineError, WorkspaceError) as error:
                silent.add(left.machine)
                _log.warning(
                    DIRECTORY_NOT_REMOVED,
                    job=left.job_id,
                    machine=left.machine,
                    reason=str(error),
                )
        return False

    async def _remove(self, left: LeftDirectory, place: Reservation) -> bool:
        async with self._parts.provider.shell(place) as shell:
            layout = Layout(await shell.expand(place.workspace))
            # Asked at the last moment: the job may have a new run.
            if await self._parts.jobs.is_unfinished(left.job_id):
                return False
            await worktree.remove(shell, layout, left.job_id)
        await self._left.removed(left)
        _log.info(DIRECTORY_REMOVED, job=left.job_id, machine=left.machine)
        return True


def standing(settings: Settings, left: LeftDirectory) -> Reservation | None:
    """Return the way to a machine that stands whether it is lent or not; no slot of it is taken."""
    workspaces = {machine.name: machine.workspace for machine in settings.machines}
    workspace = settings.local.workspace if left.provider == "local" else None
    if left.provider == "pool":
        workspace = workspaces.get(left.machine)
    if workspace is None or left.provider != settings.provider:
        return None
    return Reservation(
        lease_id=LeaseId(f"{left.job_id}/old"),
        provider=left.provider,
        machine=left.machine,
        gpu_type="",
        gpus=0,
        expires_at=datetime.now(UTC) + timedelta(hours=1),
        workspace=workspace,
    )
