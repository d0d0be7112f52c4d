"""The handler of `/ptq clean`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot import render
from bot.investigation import cleaning

if TYPE_CHECKING:
    from bot.commands import Clean
    from bot.intake.asking import Asking
    from bot.intake.desk import Desk


async def clean(desk: Desk, asking: Asking, command: Clean) -> str:
    """Remove what an ended job left on its machines; raise Refusal for one that runs."""
    job = await desk.job(asking, command.job)
    done = await cleaning.clean(desk.parts, job)
    text = render.cleaned(
        asking.person.login,
        job_id=job.id,
        removed=done.removed,
        silent=done.silent,
        gone=done.gone,
    )
    return await desk.replies.done(asking, text, outcome="clean")
