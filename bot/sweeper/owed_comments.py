"""Jobs that ended without telling people so: the report and the closing comment are made up for.

The steps that write them try for an hour. What GitHub refuses for good is given up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from bot.errors import GitHubRejected
from bot.intake.investigate import OWED_COMMENT_REFUSED
from bot.sweeper.apart import apart

if TYPE_CHECKING:
    from bot.investigation import Parts
    from bot.store import Job

_AT_ONCE = 50
"""Jobs of one pass."""

_log = structlog.stdlib.get_logger(__name__)


class OwedComments:
    """The pass over the jobs that ended since the last one."""

    def __init__(self, parts: Parts) -> None:
        """Tell people through the reporter of these parts."""
        self._parts = parts

    async def run(self) -> dict[str, int]:
        """Tell what was not told; return how many jobs that was."""
        untold = await self._parts.jobs.untold(limit=_AT_ONCE)
        return {"made_up": await apart({job.id: self._tell(job) for job in untold})}

    async def _tell(self, job: Job) -> bool:
        try:
            made_up = await self._parts.reporter.make_up(job)
        except GitHubRejected as error:
            _log.warning(OWED_COMMENT_REFUSED, job=job.id, reason=str(error))
            made_up = False
        await self._parts.jobs.set_told(job.id)
        return made_up
