"""``ptq apply``: a job's patch on a branch of a local checkout."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot import patch as patches
from bot.cli.opened import opened
from bot.cli.rules_of import rules_of
from bot.cli.words import AsJson, JobName
from bot.errors import CommandError, PatchRefused
from bot.render.phrases import count
from bot.settings import Settings

if TYPE_CHECKING:
    from bot.models import DiffStat
    from bot.store import Job

_SHOWN = 5
"""Changed files of the checkout that are named."""


@dataclass(frozen=True, slots=True)
class Applied:
    """A patch on its branch."""

    job: Job
    path: Path
    """The checkout's root."""
    branch: str
    stat: DiffStat
    back: tuple[str, ...]
    """Arguments of ``git switch`` that lead to where it was before."""


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

    The patch is checked first by the rules for a pull request, those of the checkout's
    .github/ptq.yml included. It is applied to the commit that is checked out, in the worktree and
    the index; nothing is committed. Where anything stands against it (a change that is not
    committed, a branch of that name, a patch that does not apply) nothing is changed.
    """
    done = asyncio.run(_apply(Settings.load(), job, path))
    stat = done.stat
    if as_json:
        changed = {"job": done.job.id, "branch": done.branch, "files": stat.files}
        typer.echo(json.dumps({**changed, "added": stat.added, "removed": stat.removed}))
        return
    for name in stat.files:
        typer.echo(f"  {name}")
    git = ("git", "-C", str(done.path))
    steps = {
        "read the change": (*git, "diff", "--staged"),
        "read why": ("ptq", "results", done.job.id),
        "keep it": (*git, "commit"),
        "or go back": (*git, "switch", "--discard-changes", *done.back),
        "and forget it": (*git, "branch", "-D", done.branch),
    }
    size = f"{count(len(stat.files), 'file')}, +{stat.added} -{stat.removed}"
    typer.echo(
        f"{done.path} is on branch {done.branch} now: {size}, staged and not committed.\n\nNext:"
    )
    for does, argv in steps.items():
        typer.echo(f"  {does + ':':<20} {shlex.join(argv)}")


async def _apply(settings: Settings, name: str, path: Path) -> Applied:
    async with opened(settings) as here:
        job = await here.job(name)
        text = await here.documents.read(job.id, job.request.run, "fix.diff") or ""
    if not text.strip():
        raise CommandError(f"{job.id} left no patch: it is {job.state.value}")
    head = await patches.checkout.resolve(path, "HEAD")
    # Below the root, git would leave out without a word what lies elsewhere.
    path = Path((await _git(path, "rev-parse", "--show-toplevel")).rstrip("\n"))
    patch = patches.read_patch(text)
    stat = patches.judge(patch, await rules_of(path, head, settings.patch))
    branch = f"ptq/{job.request.issue_number or job.id}"
    await _require_clean(path, branch)
    try:
        await patches.apply(text, await patches.checkout.base_files(path, head, patch))
    except PatchRefused as error:
        base = job.build.base_commit if job.build else ""
        more = f", and it was made against {base[:12]}" if base else ""
        raise PatchRefused(f"{error}: {head[:12]} is checked out{more}") from error
    before = (await _git(path, "branch", "--show-current")).strip()
    back = (before,) if before else ("--detach", head)
    await _git(path, "switch", "--quiet", "--no-track", "--create", branch, head)
    try:
        await _git(path, "apply", "--index", "--whitespace=nowarn", "-", stdin=text)
    except CommandError:
        # Nothing of it was applied: git applies a patch whole or not at all.
        await _git(path, "switch", "--quiet", *back)
        await _git(path, "branch", "--quiet", "-D", branch)
        raise
    return Applied(job, path, branch, stat, back)


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
