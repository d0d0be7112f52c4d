"""What the handlers of commands about a job work with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.commands.code import code
from bot.errors import Refusal

if TYPE_CHECKING:
    from bot.commands import JobNamed
    from bot.intake.asking import Asking
    from bot.intake.replies import Replies
    from bot.investigation import Parts
    from bot.store import Job


@dataclass(frozen=True, slots=True)
class Desk:
    """Made once by the composition root."""

    parts: Parts
    replies: Replies

    async def job(
        self, asking: Asking, named: JobNamed | None, *, running_first: bool = False
    ) -> Job:
        """Return the job that is meant: one of this repository, unnamed the thread's newest one.

        Raise Refusal when there is none.
        """
        wanted = asking.issue_number if named is None else named
        job = await self.parts.repository_jobs.find(
            asking.repository, wanted, running_first=running_first
        )
        if job is not None:
            return job
        if named is None:
            raise Refusal("there is no job here yet: `/ptq investigate` asks for one.")
        if isinstance(named, int):
            raise Refusal(f"`#{named}` has no job: `/ptq list` shows those of this repository.")
        raise Refusal(
            f"there is no job {code(named, limit=128)} in this repository: `/ptq list` shows them."
        )
