"""Compiled code of a worktree built again, where a repository lets patches change it."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

from bot.workspace import uv
from bot.workspace.steps import send_scripts

if TYPE_CHECKING:
    from bot.machines.base import Shell
    from bot.models import JobPaths, TorchBuild
    from bot.workspace.layout import Layout

SCRIPT = "rebuild.sh"
"""In the job's directory, for the agent."""


async def command(
    shell: Shell, layout: Layout, paths: JobPaths, build: TorchBuild, *, module: str
) -> tuple[str, ...]:
    """Return the argv that builds a worktree and lets it import what was built.

    The first build of PyTorch takes as long as any; ccache and the build's own directory make
    the next ones quick.
    """
    plan = {
        "worktree": paths.worktree,
        "base": build.base_commit,
        "python": f"{paths.environment}/bin/python",
        "module": module,
        "ignored": layout.ignored(paths),
        "build": f"{paths.directory}/build",
        "cache": f"{layout.state}/ccache",
        "uv": await uv.find(shell, layout) or "",
    }
    return ("python3", "-I", f"{layout.scripts}/rebuild.py", json.dumps(plan))


async def offer(
    shell: Shell, layout: Layout, paths: JobPaths, build: TorchBuild, *, module: str
) -> None:
    """Write ``rebuild.sh`` into the job's directory."""
    argv = await command(shell, layout, paths, build, module=module)
    text = f"#!/bin/bash\n# Builds the worktree's compiled code.\nexec {shlex.join(argv)}\n"
    await send_scripts(shell, layout, "rebuild")
    await shell.write(f"{paths.directory}/{SCRIPT}", text)


def told(paths: JobPaths, *, may_build: bool) -> str:
    """Say in the brief whether C++ is built here."""
    if not may_build:
        return (
            "C++ and CUDA code is **not** built here: the binaries are those of the wheel. If the "
            "cause is in C++ or CUDA,\nsay so, with file and line, and change Python only where "
            "that is the right place for the fix."
        )
    return (
        "C++ and CUDA code may be changed here too. It is live after\n"
        f"`bash {paths.directory}/{SCRIPT}`, which builds what changed: the first time takes as "
        "long as\nbuilding PyTorch does, later ones some minutes. Look at the time that is left "
        "before you begin."
    )
