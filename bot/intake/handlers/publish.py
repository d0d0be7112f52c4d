"""The handler of `/ptq pr`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot import render
from bot.investigation.opening import open_pull

if TYPE_CHECKING:
    from bot.commands import Publish
    from bot.intake.asking import Asking
    from bot.intake.desk import Desk


async def publish(desk: Desk, asking: Asking, command: Publish) -> str:
    """Open the draft pull request of a job that ran without one; raise Refusal."""
    job = await desk.job(asking, command.job)
    installation_id = await desk.replies.installation_id(asking)
    pull = await open_pull(desk.parts, job, installation_id=installation_id)
    text = render.pull_opened(asking.person.login, job_id=job.id, pull=pull)
    return await desk.replies.done(asking, text, outcome="pr")
