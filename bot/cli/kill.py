"""``ptq kill``: stop a job."""

from __future__ import annotations

import asyncio
import getpass
import json
from typing import TYPE_CHECKING

import typer

from bot.cli import background
from bot.cli.opened import opened
from bot.cli.words import AsJson, JobName
from bot.errors import CommandError
from bot.settings import Settings

if TYPE_CHECKING:
    from bot.store import Job


def kill(job: JobName, *, as_json: AsJson = False) -> None:
    """Stop the agent, keep what it wrote, give the machine back. It takes a moment."""
    found = asyncio.run(_kill(Settings.load(), job))
    if as_json:
        typer.echo(json.dumps({"job": found.id, "asked": True}))
    else:
        typer.echo(f"{found.id} is being stopped: `ptq follow {found.id}` shows its end.")


async def _kill(settings: Settings, name: str) -> Job:
    async with opened(settings) as here:
        job = await here.job(name)
        if not await here.jobs.request_kill(job.id, getpass.getuser()):
            raise CommandError(f"{job.id} has ended already: it is {job.state.value}")
        await background.see_to_it(here)
        return job
