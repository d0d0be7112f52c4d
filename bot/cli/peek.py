"""``ptq peek``: what the agent is doing."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated

import typer
from rich.console import Console

from bot.cli import background
from bot.cli.agent_log import AgentLog
from bot.cli.opened import opened
from bot.cli.words import AsJson, JobName
from bot.hidden_text import strip_invisible
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
    worklog, lines = asyncio.run(_look(Settings.load(), job))
    shown = lines[-log:]
    if as_json:
        typer.echo(json.dumps({"worklog": worklog, "log": shown}, indent=2))
        return
    console = Console()
    console.rule("worklog")
    text = worklog.strip() or "The agent has not written it yet."
    console.print(text, markup=False, highlight=False, soft_wrap=True)
    console.rule(f"the last {len(shown)} of {len(lines)} lines of the log")
    for line in shown:
        console.print(line, markup=False, highlight=False, soft_wrap=True)


async def _look(settings: Settings, name: str) -> tuple[str, list[str]]:
    async with opened(settings) as here:
        await background.see_to_it(here)
        job = await here.job(name)
        async with AgentLog(here, job.request) as log:
            worklog = await log.worklog(is_over=job.state.is_end)
            return strip_invisible(worklog), await log.more(is_over=job.state.is_end)
