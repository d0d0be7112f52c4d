"""``ptq results``: what a job found."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markdown import Markdown
from rich.syntax import Syntax

from bot.errors import CommandError
from bot.hidden_text import strip_invisible
from bot.models import JobId
from bot.settings import Settings
from bot.store import Database, Documents, Job, Jobs

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
        typer.echo(json.dumps(_facts(found, documents), indent=2))
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
    database = await asyncio.to_thread(Database, settings.database)
    try:
        await database.require_current()
        job = await _find(Jobs(database), name)
        return job, await Documents(database).read_all(job.id, job.request.run)
    finally:
        await database.close()


async def _find(jobs: Jobs, name: str) -> Job:
    try:
        found = await jobs.newest_of_issue(int(name)) if name.isdecimal() else None
        return found or await jobs.get(JobId(name))
    except LookupError as error:
        raise CommandError(f"there is no job {name} in this database") from error


def _facts(job: Job, documents: dict[str, str]) -> dict[str, Any]:
    outcome = job.outcome or {}
    proof = documents.get("proof.json")
    return {
        "job": job.id,
        "run": job.request.run,
        "repository": str(job.request.repository),
        "issue": job.request.issue_number,
        "state": job.state.value,
        "verdict": outcome.get("verdict"),
        "claim": outcome.get("claim"),
        "summary": outcome.get("summary", ""),
        "problem": outcome.get("problem", ""),
        "pull_request": job.pull_url,
        "progress_comment": job.progress_comment_url,
        "closing_comment": job.closing_comment_url,
        "proof": None if proof is None else json.loads(proof),
        "report": documents.get("report.md"),
        "patch": documents.get("fix.diff"),
        "worklog": documents.get("worklog.md"),
    }
