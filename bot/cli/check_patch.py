"""``ptq check-patch``: whether a patch would be published."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer

from bot import patch as patches
from bot.cli import inputs
from bot.cli.rules_of import rules_of
from bot.errors import PatchRefused
from bot.settings import PatchSettings, Settings

REFUSED = 1
"""Exit status when the patch would not be published."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What became of the patch; the keys of ``--json``."""

    accepted: bool
    reason: str
    """Why not; empty where it is accepted."""
    files: tuple[patches.FileChange, ...]
    """Empty where the patch could not be read."""
    size: int
    """Bytes."""
    base: str | None
    """The commit that it was applied to, if any."""


def check_patch(
    file: Annotated[
        str, typer.Argument(help="A patch as `git diff` writes it; - is the standard input.")
    ],
    *,
    base: Annotated[
        Path | None,
        typer.Option(help="A checkout: apply the patch to a commit of it, changing nothing there."),
    ] = None,
    commit: Annotated[
        str, typer.Option(help="The commit in the checkout that the patch is made against.")
    ] = "HEAD",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Judge a patch by the rules for a pull request, as is done before one is opened.

    The rules are the operator's (PTQ_PATCH__ALLOW, PTQ_PATCH__DENY, PTQ_PATCH__MAX_BYTES and
    PTQ_PATCH__MAX_FILES) and, with --base, those of .github/ptq.yml at that commit.
    Exit status: 0 when the patch would be published, 1 when it would not, 2 when there is
    nothing to judge (no such file, checkout or commit, or a wrong setting or ptq.yml).
    """
    settings = Settings.load().patch
    found = asyncio.run(_judge(inputs.read(file), settings, base=base, commit=commit))
    if as_json:
        typer.echo(json.dumps(asdict(found), indent=2))
    else:
        _show(found)
    if not found.accepted:
        raise typer.Exit(REFUSED)


async def _judge(
    data: bytes, settings: PatchSettings, *, base: Path | None, commit: str
) -> Judgement:
    resolved, rules = None, settings
    if base is not None:
        resolved = await patches.checkout.resolve(base, commit)
        rules = await rules_of(base, resolved, settings)
    patch = patches.Patch(files=(), size=len(data))
    reason = ""
    try:
        text = patches.decode(data)
        patch = patches.read_patch(text)
        patches.judge(patch, rules)
        if base is not None and resolved is not None:
            await patches.apply(text, await patches.checkout.base_files(base, resolved, patch))
    except PatchRefused as error:
        reason = str(error)
    return Judgement(
        accepted=not reason, reason=reason, files=patch.files, size=patch.size, base=resolved
    )


def _show(found: Judgement) -> None:
    for file in found.files:
        typer.echo(f"{file.change.value:<9} {file.path}  +{file.added} -{file.removed}")
    if not found.accepted:
        typer.echo(f"It would not be published: {found.reason}.")
    elif found.base is None:
        typer.echo("It would be published, if it applies; --base tries that.")
    else:
        typer.echo(f"It would be published: it applies to {found.base[:12]}.")
