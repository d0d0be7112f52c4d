"""The handler of `/ptq peek`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot import render, told
from bot.investigation import peeking

if TYPE_CHECKING:
    from bot.commands import Peek
    from bot.intake.asking import Asking
    from bot.intake.desk import Desk


async def peek(desk: Desk, asking: Asking, command: Peek) -> str:
    """Show the worklog and the end of the log; raise Refusal."""
    job = await desk.job(asking, command.job, running_first=True)
    parts = desk.parts
    places = peeking.Places(
        parts.provider,
        parts.leases,
        parts.documents,
        parts.agents,
        patience=parts.settings.machine_patience,
    )
    seen = await peeking.peek(places, job, lines=command.lines)
    view = render.PeekView(
        job=told.job_view(job),
        state=job.state,
        machine=job.machine or "",
        worklog=seen.worklog,
        log=seen.log,
        is_silent=seen.is_silent,
    )
    text = render.peek(view, redactor=parts.redactor)
    return await desk.replies.told(asking, text, kind="peek")
