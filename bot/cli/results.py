"""``ptq results``: what a job found."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markdown import Markdown
from rich.syntax import Syntax
from rich.text import Text

from bot import told
from bot.agents import agents
from bot.cli.opened import opened
from bot.cli.showing import findings, summary
from bot.cli.statuses import STILL_RUNNING
from bot.cli.words import JobName
from bot.hidden_text import strip_invisible
from bot.redaction import Redactor
from bot.render.proof import proof_table
from bot.render.proof_words import verdict_by_proof
from bot.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.store import Job

SHOWN = ("report.md", "fix.diff", "worklog.md")
"""The documents that people read, in their order."""


def results(
    job: JobName,
    *,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object, with the whole proof.")
    ] = False,
) -> None:
    """Show what a job found: the verdict, the proof, the report, the patch, worklog and log.

    On a terminal they are laid out; elsewhere they are written as they are, to be read by another
    program. The exit status is 4 while the job has not ended.
    """
    settings = Settings.load()
    found, documents = asyncio.run(_read(settings, job))
    log = told.readable(found, documents.get("log", ""), agents=agents(settings.agent))
    if as_json:
        typer.echo(json.dumps(findings(found, documents, log=log), indent=2))
    elif found.state.is_end:
        _show(found, documents, log[-told.LOG_LINES :], redactor=Redactor(settings.secrets))
    else:
        typer.echo(
            f"ptq: {found.id} has not ended: it is {found.state.value}; `ptq peek {found.id}` "
            "shows what there is so far",
            err=True,
        )
    if not found.state.is_end:
        raise typer.Exit(STILL_RUNNING)


def _show(job: Job, documents: Mapping[str, str], log: list[str], *, redactor: Redactor) -> None:
    console = Console()
    for line in summary(job, leads_on=False):
        console.print(Text(strip_invisible(line)), soft_wrap=True)
    proof = told.proof_of(documents)
    if proof is not None:
        sentence = verdict_by_proof(proof, redactor=redactor)
        _part(console, "proof", f"{sentence}\n\n{proof_table(proof, redactor=redactor)}")
    for name in SHOWN:
        _part(console, name, documents.get(name, ""))
    if log:
        _part(console, "the end of the log", "\n".join(log), is_plain=True)


def _part(console: Console, title: str, text: str, *, is_plain: bool = False) -> None:
    # Of an agent: nothing in it may move the cursor or hide.
    text = strip_invisible(text).strip("\n")
    if not text.strip():
        return
    console.rule(title)
    if is_plain or not console.is_terminal:
        console.print(Text(text), soft_wrap=True)
    elif title.endswith(".diff"):
        # A line that is cut is no patch.
        console.print(Syntax(text, "diff", word_wrap=True))
    else:
        console.print(Markdown(text))


async def _read(settings: Settings, name: str) -> tuple[Job, dict[str, str]]:
    async with opened(settings) as here:
        job = await here.job(name)
        return job, await here.documents.read_all(job.id, job.request.run)
