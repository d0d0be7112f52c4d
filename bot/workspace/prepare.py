"""A workspace made ready: quick and without a change where it is, step by step where it is not."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog
from pydantic import ValidationError

from bot.errors import RemoteFileMissing
from bot.models import Frozen, TorchBuild
from bot.workspace import gpu, source, space, torch_build, uv
from bot.workspace.steps import fingerprint

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
        await space.check(shell, layout, space.needed(torch, tag))
        await tell("Setting up the workspace.")
        # From here on it is not what it was: whoever comes after a failure must not take it so.
        await shell.run("rm", "-f", "--", layout.ready)
        build = await _set_up(shell, layout, torch, wanted, tell=tell)
        ready = _Ready(inputs=inputs, build=build)
        await shell.write(layout.ready, ready.model_dump_json(), mode=0o600)
        await _log.ainfo("workspace_prepared", version=build.version, base=build.base_commit)
    return _on(ready.build, seen)


async def _set_up(
    shell: Shell, layout: Layout, torch: TorchSettings, wanted: Wanted, *, tell: Tell
) -> TorchBuild:
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


async def build_there(shell: Shell, layout: Layout) -> TorchBuild | None:
    """Return what a workspace runs, whatever the settings ask for now; None before it is ready."""
    ready = await _ready(shell, layout, None)
    return None if ready is None else ready.build


async def _ready(shell: Shell, layout: Layout, inputs: str | None) -> _Ready | None:
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
    is_wanted = inputs is None or ready.inputs == inputs
    return ready if is_wanted and all(found) else None


def _on(build: TorchBuild, seen: Gpu) -> TorchBuild:
    """Return the build with the GPU of now: several machines may share one workspace."""
    return build.model_copy(update={"gpu": seen.name, "driver": seen.driver})
