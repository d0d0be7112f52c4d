"""A workspace made ready: quick and without a change where it is, step by step where it is not."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog
from pydantic import ValidationError

from bot.errors import CommandFailed, CommandTimedOut, RemoteFileMissing, WorkspaceError
from bot.models import Frozen, TorchBuild
from bot.workspace import gpu, source, torch_build, uv
from bot.workspace.steps import failure, fingerprint, send_scripts

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.machines.base import Shell
    from bot.settings import TorchSettings
    from bot.workspace.gpu import Gpu
    from bot.workspace.layout import Layout
    from bot.workspace.torch_build import Wanted

    Tell = Callable[[str], Awaitable[None]]

_log = structlog.stdlib.get_logger(__name__)

_READY_LIMIT = 65_536
_GIB = 1 << 30
_NEEDED = {"cpu": 6 * _GIB, "cuda": 25 * _GIB, "directory": _GIB}
"""Bytes for the environment, the installer's cache, the source and a few jobs; measured for the
CPU build (1 GB installed, as much in the cache, 1.5 GB of source), reckoned for CUDA's."""


class _Ready(Frozen):
    inputs: str
    build: TorchBuild


async def prepare(shell: Shell, layout: Layout, torch: TorchSettings, *, tell: Tell) -> TorchBuild:
    """Make the workspace ready and return what it runs; ``tell`` gets a sentence per slow step.

    It may be called at any time, by several at once, and again after it was cut short: what is
    done is found, what was half done is done anew. Raise WorkspaceError when it cannot be done.
    """
    seen = await gpu.look_at(shell)
    tag = (torch.cuda or gpu.tag(seen)) if torch.tagged else "cpu"
    wanted = await torch_build.wanted(shell, torch, tag)
    inputs = fingerprint(wanted.fingerprint, torch.module, torch.source_url)
    ready = await _ready(shell, layout, inputs)
    if ready is None:
        await _check_space(shell, layout, _NEEDED[_size(torch, tag)])
        await tell("Setting up the workspace.")
        build = await _set_up(shell, layout, torch, wanted, tell=tell)
        ready = _Ready(inputs=inputs, build=build)
        await shell.write(layout.ready, ready.model_dump_json(), mode=0o600)
        await _log.ainfo("workspace_prepared", version=build.version, base=build.base_commit)
    return _on(ready.build, seen)


async def _set_up(
    shell: Shell, layout: Layout, torch: TorchSettings, wanted: Wanted, *, tell: Tell
) -> TorchBuild:
    await send_scripts(shell, layout)
    program = await uv.find(shell, layout)
    if program is None:
        await tell("Installing uv.")
        program = await uv.install(shell, layout, timeout=torch.setup_timeout)
    await tell(f"Installing {torch.package}.")
    await torch_build.install(shell, layout, torch, wanted, program=program)
    installed = await torch_build.read_installed(shell, layout, torch)
    await tell(f"Fetching the source of {torch.package} {installed.version}.")
    await source.clone(shell, layout, torch)
    base = await source.base_commit(shell, layout, torch, installed)
    await source.check_out(shell, layout, torch, base)
    return TorchBuild(**installed.model_dump(), base_commit=base)


async def _ready(shell: Shell, layout: Layout, inputs: str) -> _Ready | None:
    """Return what was written when the workspace was ready, if that still holds."""
    try:
        text, *found = await asyncio.gather(
            shell.read(layout.ready, limit=_READY_LIMIT),
            shell.stat(layout.python),
            shell.stat(f"{layout.source}/.git"),
        )
        ready = _Ready.model_validate_json(text)
    except (RemoteFileMissing, ValidationError):
        return None
    return ready if ready.inputs == inputs and all(found) else None


def _on(build: TorchBuild, seen: Gpu) -> TorchBuild:
    """Return the build with the GPU of now: several machines may share one workspace."""
    return build.model_copy(update={"gpu": seen.name, "driver": seen.driver})


def _size(torch: TorchSettings, tag: str) -> str:
    if not torch.tagged:
        return "directory"
    return "cpu" if tag == "cpu" else "cuda"


async def _check_space(shell: Shell, layout: Layout, needed: int) -> None:
    """Raise WorkspaceError when the disk has too little space for what is to be installed."""
    try:
        await shell.run("mkdir", "-p", "--", layout.root)
        said = await shell.run("df", "-Pk", "--", layout.root)
    except (CommandFailed, CommandTimedOut) as error:
        raise failure("make the workspace's directory", error, layout) from error
    try:
        available = int(said.stdout.splitlines()[-1].split()[3]) * 1024
    except (IndexError, ValueError) as error:
        raise WorkspaceError("df does not say how much space the disk has") from error
    if available < needed:
        raise WorkspaceError(
            f"the workspace needs {needed / _GIB:.0f} GiB on the disk, "
            f"and {available / _GIB:.1f} GiB are free"
        )
