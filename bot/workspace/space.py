"""The disk of a machine: how much is free, and how much a workspace takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.errors import CommandFailed, CommandTimedOut, WorkspaceError
from bot.workspace.steps import failure

if TYPE_CHECKING:
    from bot.machines.base import Shell
    from bot.settings import TorchSettings
    from bot.workspace.layout import Layout

GIB = 1 << 30
EACH_JOB = GIB
"""Bytes for the worktree and the environment of one more job."""

_NEEDED = {"cpu": 6 * GIB, "cuda": 25 * GIB, "directory": GIB}
"""Bytes for the environment, the installer's cache, the source and a few jobs; measured for the
CPU build (1 GB installed, as much in the cache, 1.5 GB of source), reckoned for CUDA's."""


def needed(torch: TorchSettings, tag: str) -> int:
    """Return the bytes that setting up a workspace takes."""
    if not torch.tagged:
        return _NEEDED["directory"]
    return _NEEDED["cpu" if tag == "cpu" else "cuda"]


async def free(shell: Shell, layout: Layout) -> int:
    """Return the bytes that are free where the workspace is, or will be; raise WorkspaceError."""
    script = 'while [ ! -e "$1" ]; do set -- "$(dirname -- "$1")"; done; exec df -Pk -- "$1"'
    try:
        said = await shell.run("sh", "-c", script, "sh", layout.root)
    except (CommandFailed, CommandTimedOut) as error:
        raise failure("look at the disk", error, layout) from error
    try:
        return int(said.stdout.splitlines()[-1].split()[3]) * 1024
    except (IndexError, ValueError) as error:
        raise WorkspaceError("df does not say how much space the disk has") from error


async def check(shell: Shell, layout: Layout, wanted: int) -> None:
    """Raise WorkspaceError when the disk has less space than what is to be installed takes."""
    available = await free(shell, layout)
    if available < wanted:
        raise WorkspaceError(
            f"the workspace needs {wanted / GIB:.0f} GiB on the disk, "
            f"and {available / GIB:.1f} GiB are free"
        )
