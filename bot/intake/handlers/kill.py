"""The handler of `/ptq kill`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot import render
from bot.commands.code import code
from bot.errors import Refusal

if TYPE_CHECKING:
    from bot.commands import Kill
    from bot.intake.asking import Asking
    from bot.intake.desk import Desk


async def kill(desk: Desk, asking: Asking, command: Kill) -> str:
    """Ask a job to stop, and say what follows; raise Refusal for one that has ended."""
    job = await desk.job(asking, command.job, running_first=True)
    if not await desk.parts.jobs.request_kill(job.id, asking.person.login):
        raise Refusal(
            f"job {code(job.id, limit=128)} has ended already: `/ptq results` shows what it found."
        )
    text = render.stopping(asking.person.login, job_id=job.id, machine=job.machine)
    return await desk.replies.done(asking, text, outcome="kill")


async def is_own(desk: Desk, asking: Asking, command: Kill) -> bool:
    """Whether the person stops the job that the person asked for: everybody may do that."""
    wanted = asking.issue_number if command.job is None else command.job
    job = await desk.parts.repository_jobs.find(asking.repository, wanted, running_first=True)
    return job is not None and job.request.requester.id == asking.person.id
