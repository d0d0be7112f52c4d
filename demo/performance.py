"""The demonstration: ask, watch, and show what came of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from rich.markdown import Markdown
from rich.padding import Padding
from rich.rule import Rule
from rich.style import Style
from rich.text import Text

from demo import story, thread
from demo.result import Result, outcome_of, result_of
from demo.screen import printable
from demo.watching import watch

if TYPE_CHECKING:
    from rich.console import Console

    from bot.store import Job
    from demo.player import Player
    from demo.stage import Stage


def introduce(console: Console, player: Player) -> None:
    """Say what will be seen, and who plays the agent."""
    console.print(Rule("ptq: one job, from the comment to the draft pull request", style="cyan"))
    console.print(Markdown(player.introduction))
    console.print(
        Markdown(
            "A GitHub with a memory, a machine reached over SSH and the real service run on this "
            "computer, in a temporary directory that is removed at the end."
        )
    )


async def perform(stage: Stage, console: Console, player: Player) -> Result:
    """Have the maintainer ask, and show everything until the job has ended and was looked at."""
    text = story.SCRIPTED_COMMENT if player.is_scripted else story.COMMENT
    console.print(Text())
    _link(console, f"{story.MAINTAINER} comments under", stage.issue.url)
    console.print(Padding(Text(text.strip(), "bold"), (1, 4)))
    loop = asyncio.get_running_loop()
    begun = loop.time()
    await stage.ask(text)
    job = await watch(stage, console)
    seconds = loop.time() - begun
    thread.show_issue(console, stage.issue)
    for pull in stage.pulls:
        thread.show_pull(console, pull, diff=await stage.diff(pull.number))
    result = await result_of(stage, job, seconds=seconds)
    _show_links(console, stage, result)
    await _show_missing(console, stage, job, result)
    return result


def _show_links(console: Console, stage: Stage, result: Result) -> None:
    console.print(Text())
    console.print(Rule("To click", style="cyan"))
    links = {
        "The issue": stage.issue.url,
        "The report": result.progress_comment,
        "The answer": result.closing_comment,
        "The pull request": result.pull_request,
    }
    for name, url in links.items():
        if url:
            _link(console, f"{name:<17}", url)


async def _show_missing(console: Console, stage: Stage, job: Job | None, result: Result) -> None:
    missing = result.missing()
    if not missing:
        return
    console.print(Text())
    console.print(Text(f"This is not how it should end. Missing: {', '.join(missing)}.", "red"))
    if job is None:
        answers = [f"{each.status} {each.reply}" for each in stage.github.deliveries]
        console.print(Text(f"The webhook answered: {'; '.join(answers)}"))
        return
    if outcome := outcome_of(job):
        end = f"The agent's end: {outcome.agent_end}." if outcome.agent_end else ""
        reasons = [f"The job's end: {job.state}.", end, outcome.problem, outcome.no_pull_reason]
        console.print(Markdown(" ".join(filter(None, reasons))))
    if complaint := await asyncio.to_thread(stage.stderr, job):
        console.print(Text(f"The agent's program said: {printable(complaint)}"))


def _link(console: Console, before: str, url: str) -> None:
    text = Text.assemble(before, " ", (url, Style(link=url, color="blue")))
    console.print(text, soft_wrap=True)
