"""``ptq extend``: more time for a job."""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli import background
from bot.cli.opened import opened
from bot.cli.words import AsJson, JobName
from bot.investigation.extending import extend_lease
from bot.machines import provider
from bot.render.phrases import moment
from bot.settings import Settings

if TYPE_CHECKING:
    from datetime import datetime

    from bot.store import Job


def extend(
    job: JobName,
    *,
    hours: Annotated[
        float,
        typer.Option(
            "--hours",
            metavar="H",
            min=0.01,
            max=24,
            help="How many hours more; in all no more than PTQ_LIMITS__HOURS.",
            show_default=False,
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """Keep a job's machine for longer; the agent's deadlines move with it."""
    found, end = asyncio.run(_extend(Settings.load(), job, hours))
    if as_json:
        typer.echo(json.dumps({"job": found.id, "machine_until": end.isoformat()}))
    else:
        typer.echo(f"{found.id} has {found.machine} until {moment(end)}.")


async def _extend(settings: Settings, name: str, hours: float) -> tuple[Job, datetime]:
    async with opened(settings) as here:
        await background.see_to_it(here)
        job = await here.job(name)
        lender = provider(settings, here.leases)
        try:
            end = await extend_lease(
                here.leases,
                lender,
                job.id,
                hours=hours,
                limit=settings.limits.hours,
                key=f"terminal/{uuid.uuid4()}",
            )
        finally:
            await lender.close()
        return job, end
