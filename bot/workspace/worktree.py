"""A job's own worktree and environment, made and removed."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bot.errors import WorkspaceError
from bot.machines.at_once import at_once
from bot.workspace.source import ENVIRONMENT, QUIET
from bot.workspace.steps import Step, Work, do, send_scripts

if TYPE_CHECKING:
    from bot.machines.base import Shell
    from bot.models import JobPaths, TorchBuild
    from bot.workspace.layout import Layout

BUSY = timedelta(seconds=5)
"""How long a removal waits while other jobs are made in the workspace."""

_TIMEOUT = timedelta(minutes=15)


async def create(
    shell: Shell,
    layout: Layout,
    job_id: str,
    build: TorchBuild,
    *,
    module: str = "torch",
    patch: str | None = None,
) -> JobPaths:
    """Give a job its worktree at the base commit and its environment; keep them if they are there.

    In the worktree, the package's directory holds the source's files and links to what only the
    wheel has (libraries, generated files), so an edit is live at the next import. Another build
    than the job had makes both anew; then the patch at the path ``patch`` is applied, if it can be.
    Raise WorkspaceError.
    """
    paths = layout.job(job_id)
    await send_scripts(shell, layout, "clone_env", "overlay")
    work = Work(
        purpose="make the job's worktree and environment",
        marker=f"{layout.job_state(paths)}/created",
        inputs=(build.base_commit, build.wheel_commit, build.version, build.python, module),
        needs=(f"{paths.worktree}/.git", f"{paths.environment}/bin/python"),
        steps=(
            *_worktree(layout, paths, build),
            *_environment(layout, paths, build, module),
            *_patched(paths, patch),
        ),
    )
    await do(shell, layout, work, timeout=_TIMEOUT, env=ENVIRONMENT)
    return paths


async def remove(
    shell: Shell, layout: Layout, job_id: str, *, patience: timedelta | None = BUSY
) -> None:
    """Remove a job's directory and worktree, and nothing else; fine when they are gone.

    Who asked a moment ago whether the job has ended gives up when the workspace is busy for longer
    than its ``patience``: the job may be there again by the time the others are done.
    """
    paths = layout.job(job_id)
    there = (layout.jobs, paths.directory, layout.job_state(paths))
    jobs, directory, state = await at_once(shell.stat(path) for path in there)
    if jobs is None:
        return
    if jobs.is_symlink or not jobs.is_directory:
        raise WorkspaceError("could not remove the job: the directory of jobs is not one of ours")
    if directory is None and state is None:
        # git may remember a worktree that is gone; whoever makes the next one has it forget.
        return
    work = Work(
        purpose="remove the job",
        patience=patience,
        steps=(
            # An agent may have left directories that nobody may write to. Files are left as they
            # are: large libraries are links to those of every other job.
            Step(_open_directories(paths), may_fail=True),
            Step(("rm", "-rf", "--one-file-system", "--", paths.directory)),
            Step(("rm", "-rf", "--", layout.job_state(paths))),
            *_forgotten(layout, paths),
        ),
    )
    await do(shell, layout, work, timeout=_TIMEOUT, env=ENVIRONMENT)


def _forgotten(layout: Layout, paths: JobPaths) -> tuple[Step, ...]:
    """Have git forget a worktree that is gone; one that it was killed in adding is locked."""
    return (
        Step(_git(layout, "worktree", "unlock", paths.worktree), may_fail=True),
        Step(_git(layout, "worktree", "prune", "--expire=now"), may_fail=True),
    )


def _open_directories(paths: JobPaths) -> tuple[str, ...]:
    which = ("-type", "d", "!", "-perm", "-700")
    return ("find", paths.directory, *which, "-exec", "chmod", "u+rwx", "{}", ";")


def _worktree(layout: Layout, paths: JobPaths, build: TorchBuild) -> tuple[Step, ...]:
    in_worktree = ("git", *QUIET, "-C", paths.worktree)
    return (
        Step(("mkdir", "-p", "--", paths.directory)),
        Step(("rm", "-rf", "--", paths.worktree)),
        *_forgotten(layout, paths),
        Step(_git(layout, "worktree", "add", "--detach", "--", paths.worktree, build.base_commit)),
        Step(
            (*in_worktree, "config", "--worktree", "core.excludesFile", layout.ignored(paths)),
        ),
    )


def _environment(
    layout: Layout, paths: JobPaths, build: TorchBuild, module: str
) -> tuple[Step, ...]:
    clone = (layout.environment, paths.environment, paths.worktree)
    commits = (build.wheel_commit, build.base_commit)
    overlay = (paths.environment, paths.worktree, *commits, module, layout.ignored(paths))
    return (
        Step((layout.python, "-I", f"{layout.scripts}/clone_env.py", *clone)),
        Step((layout.python, "-I", f"{layout.scripts}/overlay.py", *overlay)),
    )


def _patched(paths: JobPaths, patch: str | None) -> tuple[Step, ...]:
    if patch is None:
        return ()
    apply = ("apply", "--whitespace=nowarn", "--", patch)
    return (Step(("git", *QUIET, "-C", paths.worktree, *apply), may_fail=True),)


def _git(layout: Layout, *argv: str) -> tuple[str, ...]:
    return ("git", *QUIET, "-C", layout.source, *argv)
