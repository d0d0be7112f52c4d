"""The handler of `/ptq status`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bot import render, told
from bot.models import JobState

if TYPE_CHECKING:
    from bot.commands import Status
    from bot.intake.asking import Asking
    from bot.intake.desk import Desk
    from bot.investigation import Parts
    from bot.store import Job


async def status(desk: Desk, asking: Asking, command: Status) -> str:
    """Say how far a job is; raise Refusal."""
    job = await desk.job(asking, command.job, running_first=True)
    view = await standing(desk.parts, job)
    text = render.status(view, redactor=desk.parts.redactor)
    return await desk.replies.told(asking, text, kind="status")


async def standing(parts: Parts, job: Job) -> render.StandingView:
    """Return where a job is, with its place in the queue and its reservation."""
    waits = job.state is JobState.QUEUED
    held = None if job.state.is_end else await parts.leases.of_job(job.id)
    return told.standing_view(
        job,
        now=datetime.now(UTC),
        standing=await parts.queue.standing(job.id) if waits else None,
        expires_at=held.expires_at if held else None,
        documents=await parts.documents.read_all(job.id, job.request.run),
    )
