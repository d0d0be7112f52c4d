"""``ptq finish``: carry out the jobs that were asked for in a terminal, until there is none."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from bot import log
from bot.app import carrying_out
from bot.cli import background as detaching
from bot.cli.opened import lock_of, opened
from bot.cli.until_told import told_to_stop
from bot.errors import ConfigurationError
from bot.settings import Settings
from bot.store import is_served, make_state_directory

if TYPE_CHECKING:
    from bot.store import Jobs

_SHORTEST = 0.2
"""Seconds between two looks at the jobs."""


def finish(
    *,
    background: Annotated[
        bool,
        typer.Option(
            "--background", help="Come back at once, and log to finish.log in the state directory."
        ),
    ] = False,
) -> None:
    """Carry out the unfinished jobs of this state directory until there is none.

    `ptq auto` and `ptq run` start it in the background, and so does every other command that finds
    unfinished jobs which nobody carries out. While `ptq serve` runs there is nothing to do for it.
    """
    settings = Settings.load()
    if settings.database_url is not None and not settings.database_url.startswith("sqlite"):
        raise ConfigurationError("PTQ_DATABASE_URL: on Postgres `ptq worker` carries out the jobs")
    make_state_directory(settings.state)
    if is_served(lock_of(settings)):
        typer.echo("Another process carries out the jobs.")
        return
    if background and not detaching.detach(settings):
        return
    key = settings.github.key if settings.github.has_app else ""
    log.configure(settings.log_format, secrets=(*settings.secrets, key))
    asyncio.run(_finish(settings))


async def _finish(settings: Settings) -> None:
    told = told_to_stop()
    is_done = False
    while not is_done and not told.is_set():
        async with carrying_out(settings) as jobs:
            await _until_idle(settings, jobs, told)
        # Who asked for a job while this one let go saw the lock held, and started nobody.
        async with opened(settings) as again:
            is_done = not await again.jobs.unfinished()


async def _until_idle(settings: Settings, jobs: Jobs, told: asyncio.Event) -> None:
    interval = max(settings.poll_interval.total_seconds(), _SHORTEST)
    while await jobs.unfinished():
        try:
            async with asyncio.timeout(interval):
                await told.wait()
        except TimeoutError:
            continue
        return
