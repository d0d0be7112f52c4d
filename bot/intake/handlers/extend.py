"""The handler of `/ptq extend`."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bot import render
from bot.investigation import extending

if TYPE_CHECKING:
    from bot.commands import Extend
    from bot.intake.asking import Asking
    from bot.intake.desk import Desk

_HOUR = timedelta(hours=1)


async def extend(desk: Desk, asking: Asking, command: Extend) -> str:
    """Keep a job's machine for longer; raise Refusal, with the numbers, beyond the limits."""
    job = await desk.job(asking, command.job, running_first=True)
    source = asking.delivery_id if asking.comment_id is None else f"comment/{asking.comment_id}"
    until = await extending.extend(
        desk.parts, job.id, command.more / _HOUR, key=f"{source}/{asking.place}"
    )
    text = render.extended(asking.person.login, job_id=job.id, until=until)
    return await desk.replies.done(asking, text, outcome="extend")
