"""The source of the package, cloned, and the commit in it that patches are made against."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.errors import CommandFailed, CommandTimedOut, WorkspaceError
from bot.workspace.steps import Step, Work, clean, do, failure

if TYPE_CHECKING:
    from bot.machines.base import Shell
    from bot.settings import TorchSettings
    from bot.workspace.layout import Layout
    from bot.workspace.torch_build import Installed

QUIET = ("-c", "gc.auto=0", "-c", "maintenance.auto=false", "-c", "core.hooksPath=/dev/null")
"""Git does what it is asked and starts nothing else."""

ENVIRONMENT = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_LFS_SKIP_SMUDGE": "1",
    "GIT_NO_LAZY_FETCH": "0",
    "LC_ALL": "C",
}

_NIGHTLY = re.compile(r"\S+ nightly release \(([0-9a-f]{40})\)")
"""The first line of a nightly's commit: its tree is that of the commit of main in brackets."""


async def clone(shell: Shell, layout: Layout, torch: TorchSettings) -> None:
    """Clone the source unless it is there; a source that is there is never removed."""
    url = torch.source_url if "://" in torch.source_url else await _local(shell, torch.source_url)
    partial = f"{layout.source}.partial"
    slim = ("--filter=blob:none",) if url.startswith(("https:", "http:", "ssh:")) else ()
    steps = (
        Step(("rm", "-rf", "--", partial)),
        Step(
            (
                *("git", *QUIET, "clone", "--quiet", "--no-checkout", "--single-branch"),
                *("--no-tags", *slim, "--", url, partial),
            )
        ),
        Step(("git", "-C", partial, "config", "gc.auto", "0")),
        Step(("git", "-C", partial, "config", "extensions.worktreeConfig", "true")),
        Step(("mv", "-T", partial, layout.source)),
    )
    if await shell.stat(f"{layout.source}/.git") is not None:
        steps = (
            *_unlocked(layout),
            Step(("git", "-C", layout.source, "remote", "set-url", "origin", url)),
            Step(("git", "-C", layout.source, "config", "extensions.worktreeConfig", "true")),
        )
    work = Work(
        purpose="clone the source",
        marker=layout.marker("source"),
        inputs=(url,),
        needs=(f"{layout.source}/.git",),
        steps=steps,
    )
    await do(shell, layout, work, timeout=torch.setup_timeout, env=ENVIRONMENT)


async def base_commit(
    shell: Shell, layout: Layout, torch: TorchSettings, installed: Installed
) -> str:
    """Return the commit that patches are made against: the wheel's, or for a nightly main's.

    Raise WorkspaceError, never return another commit, when it is not in the source.
    """
    found = await _find(shell, layout, torch, installed.wheel_commit)
    if not found:
        raise WorkspaceError(
            f"{torch.module} {installed.version} was built from commit {installed.wheel_commit}, "
            f"which is not in {clean(torch.source_url, layout)}"
        )
    subject = await _git(shell, layout, "show", "-s", "--format=%s", installed.wheel_commit)
    nightly = _NIGHTLY.fullmatch(subject.strip())
    if nightly is None:
        return installed.wheel_commit
    if not await _find(shell, layout, torch, nightly[1]):
        raise WorkspaceError(
            f"{torch.module} {installed.version} is the nightly of commit {nightly[1]}, "
            f"which is not in {clean(torch.source_url, layout)}"
        )
    return nightly[1]


async def check_out(shell: Shell, layout: Layout, torch: TorchSettings, commit: str) -> None:
    """Put the clone's own files to the commit, for people who look there."""
    git = ("git", *QUIET, "-C", layout.source)
    work = Work(
        purpose=f"check out commit {commit}",
        marker=layout.marker("checkout"),
        inputs=(commit,),
        needs=(layout.source,),
        steps=(
            Step(("rm", "-f", "--", f"{layout.source}/.git/index.lock")),
            Step((*git, "checkout", "--quiet", "--force", "--detach", commit)),
        ),
    )
    await do(shell, layout, work, timeout=torch.setup_timeout, env=ENVIRONMENT)


async def _local(shell: Shell, path: str) -> str:
    """Return a source that is a directory on the machine, or git's ``host:path``, as it is."""
    return await shell.expand(path) if path.startswith("~") else path


async def _find(shell: Shell, layout: Layout, torch: TorchSettings, commit: str) -> bool:
    """Whether the commit is in the clone, after fetching it where it was missing."""
    if await _has(shell, layout, commit):
        return True
    fetch = ("git", *QUIET, "-C", layout.source, "fetch", "--quiet", "--no-tags", "origin")
    work = Work(
        purpose=f"fetch commit {commit}",
        steps=(
            *_unlocked(layout),
            # A server may refuse to send a commit by its name alone; then it must be on a branch.
            Step((*fetch, f"+{commit}:refs/ptq/{commit}"), may_fail=True),
            Step((*fetch,)),
        ),
    )
    await do(shell, layout, work, timeout=torch.setup_timeout, env=ENVIRONMENT)
    return await _has(shell, layout, commit)


def _unlocked(layout: Layout) -> tuple[Step, ...]:
    """Take away what a git that was killed has left locked; ours work one after the other."""
    git = f"{layout.source}/.git"
    files = (f"{git}/{name}.lock" for name in ("config", "packed-refs", "shallow"))
    return (
        Step(("rm", "-f", "--", *files)),
        Step(("find", f"{git}/refs", "-name", "*.lock", "-delete"), may_fail=True),
    )


async def _has(shell: Shell, layout: Layout, commit: str) -> bool:
    said = await shell.run(
        *("git", "-C", layout.source, "cat-file", "-e", f"{commit}^{{commit}}"),
        env={**ENVIRONMENT, "GIT_NO_LAZY_FETCH": "1"},
        check=False,
    )
    return said.exit_status == 0


async def _git(shell: Shell, layout: Layout, *argv: str) -> str:
    try:
        said = await shell.run("git", "-C", layout.source, *argv, env=ENVIRONMENT)
    except (CommandFailed, CommandTimedOut) as error:
        raise failure("read the source", error, layout) from error
    return said.stdout
