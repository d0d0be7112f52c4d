"""``ptq list``: the jobs and where they are."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from bot.cli import background
from bot.cli.opened import opened
from bot.cli.showing import facts
from bot.cli.words import AsJson
from bot.render.phrases import duration, money
from bot.settings import Settings
from bot.store import JobIds

if TYPE_CHECKING:
    from bot.store import Job


_WIDE = 120
"""Columns of a list that is read by a program."""
_BETWEEN = 2
"""Spaces behind a column."""
_LEAVE = ("spend", "issue", "run", "machine", "time left", "verdict")
"""What is left out first on a narrow screen: `ptq status` and `--json` tell it."""


def listing(
    *,
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", min=1, help="How many jobs are shown at most.")
    ] = 20,
    as_json: AsJson = False,
) -> None:
    """List the jobs: those that go on, then the others, newest first."""
    jobs = asyncio.run(_read(Settings.load(), limit))
    if as_json:
        typer.echo(json.dumps([_facts(job, end) for job, end in jobs], indent=2))
        return
    if not jobs:
        typer.echo("There is no job yet: `ptq auto --issue N` asks for one.")
        return
    now = datetime.now(UTC)
    # Of a pipe nobody knows how wide it is, and an id that is folded is none.
    console = Console()
    console.width = console.width if console.is_terminal else max(console.width, _WIDE)
    console.print(_table([_row(job, end, now) for job, end in jobs], width=console.width))


def _row(job: Job, end: datetime | None, now: datetime) -> dict[str, str]:
    known = facts(job)
    issue = job.request.issue_number
    return {
        "state": job.state.value,
        "job": job.id,
        "issue": "-" if issue is None else f"#{issue}",
        "run": str(job.request.run),
        "machine": job.machine or "-",
        "time left": duration(end - now) if end else "-",
        "spend": money(known["usd"]) if known["usd"] else "-",
        "verdict": known["verdict"] or "-",
    }


def _table(rows: list[dict[str, str]], *, width: int) -> Table:
    """Lay the rows out; where a screen is too narrow, some columns give way to the others."""
    widths = {name: max(len(name), *(len(row[name]) for row in rows)) for name in rows[0]}
    for name in _LEAVE:
        if sum(widths.values()) + _BETWEEN * len(widths) > width:
            del widths[name]
    table = Table(box=None, pad_edge=False, padding=(0, _BETWEEN, 0, 0), header_style="bold")
    for name in widths:
        table.add_column(name, no_wrap=name in {"state", "job"}, overflow="fold")
    for row in rows:
        table.add_row(*(row[name] for name in widths))
    return table


async def _read(settings: Settings, limit: int) -> list[tuple[Job, datetime | None]]:
    async with opened(settings) as here:
        await background.see_to_it(here)
        jobs = [
            await here.jobs.get(found) for found in await JobIds(here.database).listed(limit=limit)
        ]
        leases = [await here.leases.of_job(job.id) for job in jobs]
        return [(job, lease and lease.expires_at) for job, lease in zip(jobs, leases, strict=True)]


def _facts(job: Job, end: datetime | None) -> dict[str, Any]:
    return {**facts(job), "machine_until": end and end.isoformat()}
