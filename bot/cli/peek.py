"""``ptq peek``: what the agent is doing."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated

import typer
from rich.console import Console

from bot.agents import agents
from bot.cli import background
from bot.cli.opened import opened
from bot.cli.words import AsJson, JobName
from bot.hidden_text import strip_invisible
from bot.investigation.peeking import Places, Seen, peek as peek_at
from bot.machines import provider
from bot.render.phrases import count
from bot.settings import Settings


def peek(
    job: JobName,
    *,
    log: Annotated[
        int, typer.Option("--log", metavar="N", min=1, help="How many lines of the log's end.")
    ] = 20,
    as_json: AsJson = False,
) -> None:
    """Show the worklog and the end of the agent's log, while it works and after."""
    seen = asyncio.run(_look(Settings.load(), job, log))
    # Of an agent: nothing in it may move the cursor or hide.
    worklog, lines = strip_invisible(seen.worklog), [strip_invisible(line) for line in seen.log]
    if seen.is_silent:
        typer.echo("ptq: its machine does not answer: this is what was known before", err=True)
    if as_json:
        typer.echo(json.dumps({"worklog": worklog, "log": lines}, indent=2))
        return
    console = Console()
    console.rule("worklog")
    text = worklog.strip() or "The agent has not written it yet."
    console.print(text, markup=False, highlight=False, soft_wrap=True)
    console.rule(f"the last {count(len(lines), 'line')} of the log")
    for line in lines:
        console.print(line, markup=False, highlight=False, soft_wrap=True)


async def _look(settings: Settings, name: str, lines: int) -> Seen:
    known = agents(settings.agent)
    async with opened(settings) as here:
        await background.see_to_it(here)
        job = await here.job(name)
        lender = provider(settings, here.leases)
        places = Places(lender, here.leases, here.documents, known, settings.machine_patience)
        try:
            return await peek_at(places, job, lines=lines)
        finally:
            await lender.close()
