"""``ptq run``: a job on a machine that one already has."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.again import run_again
from bot.cli.asking import Wanted, issue_of
from bot.cli.auto import (
    Follow,
    Input,
    Issue,
    Message,
    PresetName,
    Prompt,
    Repo,
    joined,
    options_of,
    preset_of,
    show,
    start,
    text_of,
)
from bot.cli.job_names import job_names
from bot.cli.lent import require_lent
from bot.cli.machine_side import LOCAL
from bot.cli.options import Said, with_job_options
from bot.cli.words import AsJson
from bot.errors import InputError
from bot.settings import Settings

if TYPE_CHECKING:
    from bot.models import JobOptions


@with_job_options
def run(  # noqa: PLR0913 -- each an option of the command
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="JOB|@agent-NAME",
            autocompletion=job_names,
            help="A job to run again, by its id or its issue's number; specialists to ask.",
            show_default=False,
        ),
    ] = None,
    *,
    issue: Issue = None,
    repo: Repo = None,
    message: Message = None,
    file: Input = None,
    prompt: Prompt = None,
    preset: PresetName = None,
    local: Annotated[
        bool, typer.Option("--local", help="On this computer, with the provider `local`.")
    ] = False,
    follow: Follow = None,
    as_json: AsJson = False,
    said: Said,
) -> None:
    """Do the same as `ptq auto` on a machine that you have, or run a job again.

    The machine is one of the settings (--machine NAME) or this computer (--local); its workspace is
    prepared when it is not yet (`ptq setup`). `ptq run JOB -m "another approach"` is the next run
    of a job that has ended: it keeps the last one's options where nothing else is said, and goes on
    from what that one left.
    """
    settings = Settings.load()
    names = [word for word in words or [] if not word.lower().startswith("@agent-")]
    specialists = [word for word in words or [] if word not in names]
    if names:
        if len(names) > 1 or issue is not None or repo is not None or local:
            raise InputError("a job that is run again keeps its issue: name the job alone")
        guidance = joined(preset_of(settings, preset, said), text_of(message, file), prompt or "")
        asked = asyncio.run(
            run_again(settings, names[0], said=said, words=specialists, guidance=guidance)
        )
        show(settings, asked, follows=follow, as_json=as_json)
        return
    repository, number = issue_of(settings, issue, repo)
    given = text_of(message, file)
    if number is None and not given:
        raise InputError("what is to be done? Give --issue N, or a task with -m TEXT or -i FILE")
    wanted = Wanted(
        repository=repository,
        issue_number=number,
        task="" if number is not None else given,
        guidance=joined(preset_of(settings, preset, said), given if number else "", prompt or ""),
        options=_options(settings, said, specialists, is_local=local),
    )
    start(settings, wanted, follows=follow, as_json=as_json)


def _options(settings: Settings, said: Said, words: list[str], *, is_local: bool) -> JobOptions:
    """Return the options of a job that names its machine; raise UserError."""
    named = said.pop("--machine", None)
    if is_local == (named is not None):
        raise InputError(
            "name one machine: --machine NAME of the settings, or --local (`ptq auto` takes any)"
        )
    name = LOCAL if named is None else named
    require_lent(settings, name)
    return options_of(settings, said, words).model_copy(update={"machine": name})
