"""``ptq status``: how far a job is."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.text import Text

from bot.cli import background
from bot.cli.opened import opened
from bot.cli.showing import facts
from bot.cli.words import AsJson, JobName
from bot.hidden_text import strip_invisible
from bot.machines import provider
from bot.models import JobState
from bot.render.phrases import count, duration, moment, money
from bot.settings import Settings
from bot.store import Queue

if TYPE_CHECKING:
    from bot.cli.opened import Opened
    from bot.store import Job


def status(job: JobName, *, as_json: AsJson = False) -> None:
    """Show how far a job is: its state, place in the queue, machine, spend and time left."""
    found, known = asyncio.run(_read(Settings.load(), job))
    if as_json:
        typer.echo(json.dumps(known, indent=2))
        return
    console = Console()
    for name, value in _rows(found, known):
        # A problem or a summary may be an agent's.
        line = Text.assemble((f"{name:<14}", "bold"), strip_invisible(value))
        console.print(line, soft_wrap=True)


async def _read(settings: Settings, name: str) -> tuple[Job, dict[str, Any]]:
    async with opened(settings) as here:
        await background.see_to_it(here)
        job = await here.job(name)
        lease = await here.leases.of_job(job.id)
        return job, {
            **facts(job),
            "states": {state.value: at.isoformat() for state, at in job.states.items()},
            "queue_position": await _position(here, job),
            "machine_until": lease and lease.expires_at.isoformat(),
        }


async def _position(here: Opened, job: Job) -> int | None:
    if job.state is not JobState.QUEUED:
        return None
    lender = provider(here.settings, here.leases)
    queue = Queue(here.database, machines=lender.offers, limits=here.settings.limits)
    standing = await queue.standing(job.id)
    return standing and standing.position


def _rows(job: Job, known: dict[str, Any]) -> list[tuple[str, str]]:
    now = datetime.now(UTC)
    since = duration(now - job.states.get(job.state, now))
    rows = [
        ("job", f"{job.id}, run {job.request.run}"),
        ("state", f"{job.state.value} for {since}"),
    ]
    if known["queue_position"] is not None:
        rows.append(("queue", f"number {known['queue_position']}"))
    if job.machine:
        rows.append(("machine", job.machine))
    if job.build is not None:
        gpu = job.build.gpu or "no GPU"
        rows.append(("torch", f"{job.build.version} ({gpu})"))
    if job.progress is not None:
        spent = money(job.progress.usd)
        rows.append(("agent", f"{count(job.progress.turns, 'turn')}, {spent}"))
    if known["machine_until"] is not None:
        end = datetime.fromisoformat(known["machine_until"])
        rows.append(("time left", f"{duration(end - now)}, until {moment(end)}"))
    ends = ("verdict", "problem", "summary", "pull_request")
    return [*rows, *((name.replace("_", " "), str(known[name])) for name in ends if known[name])]
