"""``ptq auto``: the whole job on an issue or a task, from a terminal."""

from __future__ import annotations

import asyncio
import json
import sys
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from bot.agents import agents
from bot.cli import background, inputs, tables
from bot.cli.asking import Asked, Wanted, ask, issue_of
from bot.cli.following import follow_to_the_end
from bot.cli.lent import require_lent
from bot.cli.opened import opened
from bot.cli.options import Said, changes_of, with_job_options
from bot.cli.words import AsJson
from bot.configuration import RepositoryConfiguration
from bot.errors import InputError
from bot.intake.options import job_options
from bot.settings import Settings
from bot.workspace.brief import MAX_GUIDANCE
from bot.workspace.presets import presets

if TYPE_CHECKING:
    from bot.models import JobOptions

Issue = Annotated[
    str | None,
    typer.Option("--issue", metavar="N", help="The issue: a number, owner/name#N or its address."),
]
Repo = Annotated[
    str | None,
    typer.Option(
        "--repo",
        metavar="OWNER/NAME",
        help="The repository (default: the first that the settings name, else pytorch/pytorch).",
    ),
]
Message = Annotated[
    str | None,
    typer.Option("--message", "-m", metavar="TEXT", help="A free task; with an issue, guidance."),
]
Input = Annotated[
    str | None,
    typer.Option(
        "--input", "-i", metavar="FILE", help="The same from a file; - is the standard input."
    ),
]
Prompt = Annotated[
    str | None, typer.Option("--prompt", "-p", metavar="TEXT", help="Guidance for the agent.")
]
PresetName = Annotated[
    str | None,
    typer.Option(
        "--preset", metavar="NAME", help="One of `ptq presets`: a mode, or a text of your own."
    ),
]
Follow = Annotated[
    bool | None,
    typer.Option(
        "--follow/--no-follow",
        show_default=False,
        help="Show the phases and the agent's work until the job has ended, or come back at once "
        "(default: follow on a terminal).",
    ),
]
Specialists = Annotated[
    list[str] | None,
    typer.Argument(metavar="@agent-NAME", help="Specialists to ask.", show_default=False),
]


@with_job_options
def auto(  # noqa: PLR0913 -- each an option of the command
    specialists: Specialists = None,
    *,
    issue: Issue = None,
    repo: Repo = None,
    message: Message = None,
    file: Input = None,
    prompt: Prompt = None,
    preset: PresetName = None,
    follow: Follow = None,
    as_json: AsJson = False,
    said: Said,
) -> None:
    """Do the whole job on an issue or a task: reserve, prepare, investigate, prove, release.

    The issue is read with GITHUB_TOKEN, with the token of GitHub's CLI, or without one; no GitHub
    App is needed and nothing is written on GitHub. The results stay here: `ptq results`, `ptq
    apply`; `ptq pr` opens a draft pull request. The job is carried out by `ptq serve` where it
    runs, else by a process in the background that ends with it, so Ctrl-C and --no-follow leave
    it going on.
    """
    settings = Settings.load()
    repository, number = issue_of(settings, issue, repo)
    given = text_of(message, file)
    if number is None and not given:
        raise InputError("what is to be done? Give --issue N, or a task with -m TEXT or -i FILE")
    wanted = Wanted(
        repository=repository,
        issue_number=number,
        task="" if number is not None else given,
        guidance=joined(preset_of(settings, preset, said), given if number else "", prompt or ""),
        options=options_of(settings, said, specialists or []),
    )
    start(settings, wanted, follows=follow, as_json=as_json)


def joined(*texts: str) -> str:
    """Return the texts that there are, one under the other; raise InputError for too much."""
    return _whole("guidance", "\n\n".join(text for text in texts if text.strip()))


def preset_of(settings: Settings, name: str | None, said: Said) -> str:
    """Return the guidance of a preset; one of a mode says ``--mode`` instead."""
    if name is None:
        return ""
    known = presets(settings.presets)
    if name not in known:
        near = get_close_matches(name, known, n=1)
        hint = f" Did you mean {near[0]}?" if near else " `ptq presets` lists them."
        raise InputError(f"there is no preset {name}.{hint}")
    if known[name].mode is None:
        return known[name].text
    if said.setdefault("--mode", name) != name:
        raise InputError(f"--preset {name} is a mode, and --mode {said['--mode']} is another")
    return ""


def text_of(message: str | None, file: str | None) -> str:
    """Return what --message or --input gives; raise InputError, also for both."""
    if message is not None and file is not None:
        raise InputError("--message and --input are the same thing: give one of them")
    if file is None:
        return _whole("--message", message or "")
    try:
        text = inputs.read(file).decode()
    except UnicodeDecodeError as error:
        raise InputError(f"{inputs.shown(file)}: no UTF-8 text (byte {error.start})") from error
    if not text.strip():
        raise InputError(f"{inputs.shown(file)}: it is empty")
    return _whole(inputs.shown(file), text)


def _whole(name: str, text: str) -> str:
    """Raise InputError rather than tell an agent half of something."""
    if len(text) > MAX_GUIDANCE:
        raise InputError(
            f"{name}: it has {len(text):,} characters, and an agent is told {MAX_GUIDANCE:,}"
        )
    return text.strip()


def options_of(settings: Settings, said: Said, words: list[str]) -> JobOptions:
    """Return the options of a job; raise UserError.

    Where this machine is the only one, it is taken unless a kind of GPU or a machine is named.
    """
    changes = changes_of(said, words)
    options = job_options(
        changes,
        configuration=RepositoryConfiguration(),
        limits=settings.limits,
        agents=agents(settings.agent),
    )
    if options.machine is not None:
        require_lent(settings, options.machine)
    if settings.provider == "local" and not changes.said & {"gpu_type", "machine"}:
        return options.model_copy(update={"machine": "local"})
    return options


def start(settings: Settings, wanted: Wanted, *, follows: bool | None, as_json: bool) -> None:
    """Ask for the job, see that it is carried out, and follow it."""
    show(settings, asyncio.run(_start(settings, wanted)), follows=follows, as_json=as_json)


def show(settings: Settings, accepted: Asked, *, follows: bool | None, as_json: bool) -> None:
    """Say which job it is, and follow it."""
    console = Console(stderr=as_json)
    is_known = "" if accepted.is_new else " (the issue has this unfinished job already)"
    console.print(f"Job {accepted.job_id}{is_known}", highlight=False, soft_wrap=True)
    if follows is None:
        follows = console.is_terminal and sys.stdin.isatty()
    if follows:
        follow_to_the_end(settings, accepted.job_id, console, as_json=as_json)
    if as_json:
        typer.echo(json.dumps({"job": accepted.job_id, "is_new": accepted.is_new}))
    else:
        console.print(
            f"It goes on in the background: `ptq follow {accepted.job_id}` shows it.",
            highlight=False,
            soft_wrap=True,
        )


async def _start(settings: Settings, wanted: Wanted) -> Asked:
    await tables.make(settings)
    async with opened(settings) as here:
        accepted = await ask(here, wanted)
        await background.see_to_it(here)
    return accepted
