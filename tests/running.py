"""Jobs that are at work, waiting or ended, for conversations about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.models import JobState
from tests.harness import MAINTAINER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.store import Job
    from tests.harness import Bot


async def at_work(
    bot: Bot,
    command: str = "/ptq investigate",
    *,
    steps: Sequence[dict[str, Any]] = ({"say": "I read the issue."},),
) -> Job:
    """Have a job whose agent did these steps and goes on for ever; the last one says something."""
    bot.agent_does([*steps, {"hang": True}])
    await bot.comment(command)
    assert "I am waiting for a machine" in await bot.next_text()
    await bot.reached(JobState.INVESTIGATING)
    await bot.edited(steps[-1]["say"])
    (job,) = await bot.service.jobs.unfinished()
    return job


async def stopped(bot: Bot, job: Job | None = None) -> Job:
    """Stop a job that runs, else the only one, and read its closing comment."""
    if job is None:
        (job,) = await bot.service.jobs.unfinished()
    assert await bot.service.jobs.request_kill(job.id, MAINTAINER)
    assert "ptq:closing" in await bot.next_text()
    return await bot.job()


async def ended(bot: Bot, command: str = "/ptq investigate") -> Job:
    """Have a job carried out to its end, and read both of its comments."""
    await bot.comment(command)
    assert "I am waiting for a machine" in await bot.next_text()
    assert "ptq:closing" in await bot.next_text()
    return await bot.job()
