"""The handler of `/ptq list`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot import render
from bot.intake.handlers.status import standing

if TYPE_CHECKING:
    from bot.intake.asking import Asking
    from bot.intake.desk import Desk

MOST_JOBS = 20
"""Jobs that are shown; the older ones are counted."""


async def list_jobs(desk: Desk, asking: Asking) -> str:
    """Show the jobs of the repository: those that have not ended, then the others."""
    jobs, total = await desk.parts.repository_jobs.listed(asking.repository, limit=MOST_JOBS)
    views = [await standing(desk.parts, job) for job in jobs]
    return await desk.replies.told(asking, render.job_list(views, total=total), kind="list")
