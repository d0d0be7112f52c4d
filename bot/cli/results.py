"""``ptq results``: what a job found."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markdown import Markdown
from rich.syntax import Syntax

from bot.cli.opened import opened
from bot.cli.showing import findings
from bot.hidden_text import strip_invisible
from bot.settings import Settings

if TYPE_CHECKING:
    from bot.store import Job

SHOWN = ("report.md", "fix.diff", "worklog.md")
"""The documents that people read, in their order."""


def results(
    job: Annotated[str, typer.Argument(help="A job's id, or an issue's number: its newest job.")],
    *,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object, with the whole proof.")
    ] = False,
) -> None:
    """Show what a job found: the verdict, the proof, the report, the patch and the worklog."""
    found, documents = asyncio.run(_read(Settings.load(), job))
    if as_json:
        typer.echo(json.dumps(findings(found, documents), indent=2))
        return
    console = Console()
    outcome = found.outcome or {}
    console.print(f"[bold]{found.id}[/]  {found.state.value}  {outcome.get('verdict') or '-'}")
    if found.pull_url:
        console.print(found.pull_url)
    for name in SHOWN:
        # Of an agent: nothing in it may move the cursor or hide.
        text = strip_invisible(documents.get(name, "")).strip()
        if text:
            console.rule(name)
            is_patch = name.endswith(".diff")
            console.print(Syntax(text, "diff") if is_patch else Markdown(text))


async def _read(settings: Settings, name: str) -> tuple[Job, dict[str, str]]:
    async with opened(settings) as here:
        job = await here.job(name)
        return job, await here.documents.read_all(job.id, job.request.run)
