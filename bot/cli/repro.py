"""``ptq repro``: the program in an issue that shows its bug."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.syntax import Syntax
from rich.text import Text

from bot.cli import inputs
from bot.errors import InputError
from bot.hidden_text import strip_invisible
from bot.workspace.repro import Repro, ReproKind, extract, read_issue

_LANGUAGES = {
    ReproKind.PYTHON: "python",
    ReproKind.TORCHRUN: "python",
    ReproKind.SHELL: "bash",
    ReproKind.TEST: "bash",
    ReproKind.CPP: "cpp",
}


def repro(
    file: Annotated[
        str, typer.Argument(help="An issue as JSON; - is the standard input.", metavar="FILE")
    ] = inputs.STANDARD_INPUT,
    *,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json", help="Print one JSON object: kind, text, launcher, source, needs, reason."
        ),
    ] = False,
    exit_status: Annotated[
        bool, typer.Option("--exit-status", help="End with 1 when the issue holds no repro.")
    ] = False,
) -> None:
    """Find the program in an issue that shows its bug. Nothing is fetched and nothing is run.

    The issue is {title, body, labels, author, comments: [{author, association, body}]}, as
    `gh issue view N --json title,body,labels,author,comments` prints it too. Exit status: 0 when
    the issue was read, also if it holds no repro (kind none); 2 when it could not be read.
    """
    found = _extract(file)
    if as_json:
        typer.echo(json.dumps(found.model_dump(mode="json"), indent=2))
    else:
        _show(found, Console())
    if exit_status and found.kind is ReproKind.NONE:
        raise typer.Exit(1)


def _extract(file: str) -> Repro:
    data = inputs.read(file)
    try:
        return extract(read_issue(data))
    except InputError as error:
        raise InputError(f"{inputs.shown(file)}: {error}") from error


def _show(found: Repro, console: Console) -> None:
    # Of an issue: nothing in it may move the cursor or hide.
    facts = {
        "kind": found.kind.value,
        "from": found.source,
        "started with": found.launcher or "",
        "needs": ", ".join(found.needs),
        "why": found.reason,
    }
    for name, value in facts.items():
        if value:
            console.print(
                Text.assemble((f"{name:<14}", "bold"), strip_invisible(value)), soft_wrap=True
            )
    if found.kind is not ReproKind.NONE:
        console.rule(found.filename or "in PyTorch's source")
        text = strip_invisible(found.text).rstrip()
        if console.is_terminal:
            console.print(Syntax(text, _LANGUAGES[found.kind], word_wrap=True))
        else:
            typer.echo(text)
