"""``ptq follow``: come back to a job."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from rich.console import Console

from bot.cli import background
from bot.cli.following import follow_to_the_end
from bot.cli.opened import opened
from bot.cli.words import AsJson, JobName
from bot.settings import Settings

if TYPE_CHECKING:
    from bot.store import Job


def follow(job: JobName, *, as_json: AsJson = False) -> None:
    """Show a job's phases and the agent's work until it has ended. Ctrl-C leaves it going on."""
    settings = Settings.load()
    found = asyncio.run(_find(settings, job))
    follow_to_the_end(settings, found.id, Console(stderr=as_json), as_json=as_json)


async def _find(settings: Settings, name: str) -> Job:
    async with opened(settings) as here:
        await background.see_to_it(here)
        return await here.job(name)
