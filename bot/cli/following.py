"""Following a job to its end, from whatever process: by its rows, and by its log."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, NoReturn

import typer
from rich.console import Console
from rich.text import Text

from bot.cli.agent_log import AgentLog
from bot.cli.opened import opened
from bot.cli.screen import Screen
from bot.cli.showing import facts, summary
from bot.cli.statuses import STILL_RUNNING, of_job
from bot.hidden_text import strip_invisible
from bot.models import JobState

if TYPE_CHECKING:
    from bot.cli.opened import Opened
    from bot.models import JobId
    from bot.settings import Settings
    from bot.store import Job

_LOOK = 0.5
"""Seconds between two looks at a job."""


def follow_to_the_end(
    settings: Settings, job_id: JobId, console: Console, *, as_json: bool
) -> NoReturn:
    """Show a job until it has ended, and end with its exit status; Ctrl-C leaves it alone."""
    try:
        job = asyncio.run(_follow(settings, job_id, console))
    except KeyboardInterrupt:
        console.print(
            f"\nDetached. {job_id} goes on in the background: `ptq follow {job_id}` comes back to "
            f"it, `ptq kill {job_id}` stops it.",
            soft_wrap=True,
            highlight=False,
        )
        raise typer.Exit(STILL_RUNNING) from None
    if as_json:
        typer.echo(json.dumps(facts(job)))
        raise typer.Exit(of_job(job))
    for line in summary(job):
        console.print(Text(strip_invisible(line)), soft_wrap=True)
    raise typer.Exit(of_job(job))


async def _follow(settings: Settings, job_id: JobId, console: Console) -> Job:
    screen = Screen(console)
    async with opened(settings) as here:
        try:
            return await _watch(here, job_id, screen)
        finally:
            screen.close()


async def _watch(here: Opened, job_id: JobId, screen: Screen) -> Job:
    job = await here.jobs.get(job_id)
    async with AgentLog(here, job.request) as log:
        while True:
            if JobState.INVESTIGATING in job.states:
                screen.show(job, until=JobState.INVESTIGATING)
                for line in await log.more(is_over=job.state.is_end):
                    screen.say(line)
            screen.show(job)
            if job.state.is_end:
                return job
            await asyncio.sleep(_LOOK)
            job = await here.jobs.get(job_id)
