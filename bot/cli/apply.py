"""``ptq apply``: a job's patch on a branch of a local checkout."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot import patch as patches
from bot.cli.opened import opened
from bot.cli.words import AsJson, JobName
from bot.errors import CommandError, PatchRefused
from bot.render.phrases import count
from bot.settings import Settings

if TYPE_CHECKING:
    from bot.models import DiffStat
    from bot.store import Job

_SHOWN = 5
"""Changed files of the checkout that are named."""


def apply(
    job: JobName,
    *,
    path: Annotated[
        Path,
        typer.Option("--pytorch-path", metavar="P", help="The checkout.", show_default=False),
    ],
    as_json: AsJson = False,
) -> None:
    """Make the branch ptq/ISSUE in a checkout, with the job's patch on it, and say what is next.

    The patch is checked first by the rules for a pull request. It is applied to the commit that is
    checked out, in the worktree and the index; nothing is committed. Where anything stands against
    it (a change that is not committed, a branch of that name, a patch that does not apply) nothing
    is changed.
    """
    found, branch, stat = asyncio.run(_apply(Settings.load(), job, path))
    if as_json:
        changed = {"job": found.id, "branch": branch, "files": stat.files}
        typer.echo(json.dumps({**changed, "added": stat.added, "removed": stat.removed}))
        return
    for name in stat.files:
        typer.echo(f"  {name}")
    git = f"git -C {path}"
    steps = {
        "read the change": f"{git} diff --staged",
        "read why": f"ptq results {found.id}",
        "keep it": f"{git} commit",
        "or go back": f"{git} switch --discard-changes -",
        "and forget it": f"{git} branch -D {branch}",
    }
    size = f"{count(len(stat.files), 'file')}, +{stat.added} -{stat.removed}"
    typer.echo(f"{path} is on branch {branch} now: {size}, staged and not committed.\n\nNext:")
    for does, command in steps.items():
        typer.echo(f"  {does + ':':<20} {command}")


async def _apply(settings: Settings, name: str, path: Path) -> tuple[Job, str, DiffStat]:
    async with opened(settings) as here:
        job = await here.job(name)
        text = await here.documents.read(job.id, job.request.run, "fix.diff") or ""
    if not text.strip():
        raise CommandError(f"{job.id} left no patch: it is {job.state.value}")
    patch = patches.read_patch(text)
    stat = patches.judge(patch, settings.patch)
    head = await patches.checkout.resolve(path, "HEAD")
    branch = f"ptq/{job.request.issue_number or job.id}"
    await _require_clean(path, branch)
    try:
        await patches.apply(text, await patches.checkout.base_files(path, head, patch))
    except PatchRefused as error:
        base = job.build.base_commit if job.build else ""
        more = f", and it was made against {base[:12]}" if base else ""
        raise PatchRefused(f"{error}: {head[:12]} is checked out{more}") from error
    await _git(path, "switch", "--quiet", "--no-track", "--create", branch, head)
    try:
        await _git(path, "apply", "--index", "--whitespace=nowarn", "-", stdin=text)
    except CommandError:
        # Nothing of it was applied: git applies a patch whole or not at all.
        await _git(path, "switch", "--quiet", "-")
        await _git(path, "branch", "--quiet", "-D", branch)
        raise
    return job, branch, stat


async def _require_clean(path: Path, branch: str) -> None:
    """Raise CommandError where something of the user's stands in the way."""
    changed = (await _git(path, "status", "--porcelain", "--untracked-files=no")).splitlines()
    if changed:
        names = ", ".join(line[3:] for line in changed[:_SHOWN])
        more = f" and {len(changed) - _SHOWN} more" if len(changed) > _SHOWN else ""
        raise CommandError(
            f"{path} has changes that are not committed ({names}{more}): commit or stash them"
        )
    if (await _git(path, "branch", "--list", branch)).strip():
        raise CommandError(
            f"{path} has a branch {branch} already: `git -C {path} branch -D {branch}` removes it"
        )


async def _git(path: Path, *argv: str, stdin: str = "") -> str:
    process = await asyncio.create_subprocess_exec(
        *("git", "-C", str(path), *argv),
        env={**os.environ, "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0"},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, said = await process.communicate(stdin.encode())
    if process.returncode:
        reason = said.decode(errors="replace").strip()
        raise CommandError(f"{path}: git {argv[0]} does not do it: {reason}")
    return out.decode(errors="replace")
