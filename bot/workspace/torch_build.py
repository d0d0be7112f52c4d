"""The environment with the package under investigation, and what was installed there."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from pydantic import ValidationError

from bot.errors import CommandFailed, CommandTimedOut, WorkspaceError
from bot.models import Frozen
from bot.workspace import uv
from bot.workspace.steps import Step, Work, do, failure, fingerprint, send_scripts

if TYPE_CHECKING:
    from bot.machines.base import Shell
    from bot.settings import TorchSettings
    from bot.workspace.layout import Layout

_IMPORT_TIMEOUT = timedelta(minutes=5)
_COMMIT = re.compile(r"[0-9a-f]{40}")


class Installed(Frozen):
    """What the installed package says of itself."""

    version: str
    wheel_commit: str
    cuda: str | None
    python: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be installed."""

    requirement: str
    """For the installer."""
    newest: bool
    """Whether the newest build is taken, be it a nightly."""
    where: tuple[str, ...]
    """The installer's options that say where the package comes from."""
    python: str
    extra: tuple[str, ...]

    @property
    def fingerprint(self) -> str:
        """A hash that changes with what is to be installed."""
        return fingerprint(
            self.requirement, str(self.newest), *self.where, self.python, *self.extra
        )


async def wanted(shell: Shell, torch: TorchSettings, tag: str) -> Wanted:
    """Return what the settings ask for on this machine."""
    url = f"{torch.index_url.rstrip('/')}/{tag}" if torch.tagged else torch.index_url
    is_directory = "://" not in url
    where = ("--index", url)
    if is_directory:
        where = ("--no-index", "--find-links", await shell.expand(url))
    return Wanted(
        requirement=torch.requirement or torch.package,
        newest=torch.requirement is None,
        where=where,
        python=torch.python,
        extra=torch.extra_packages,
    )


async def install(
    shell: Shell, layout: Layout, torch: TorchSettings, wanted: Wanted, *, program: str
) -> None:
    """Make the environment anew unless it holds what is wanted; raise WorkspaceError.

    Jobs that run have copies, so a new installation takes nothing from them.
    """
    pip = (program, "pip", "install", "--python", layout.python)
    steps = [Step((program, "venv", "--clear", "--python", wanted.python, layout.environment))]
    if wanted.newest:
        # Alone, so that nothing else becomes a pre-release; what it needs comes with the next step.
        alone = ("--prerelease=allow", "--no-deps")
        steps.append(Step((*pip, *alone, *wanted.where, "--", wanted.requirement)))
    steps.append(Step((*pip, *wanted.where, "--", wanted.requirement)))
    if wanted.extra:
        steps.append(Step((*pip, "--", *wanted.extra)))
    work = Work(
        purpose=f"install {torch.package}",
        marker=layout.marker("environment"),
        inputs=(wanted.fingerprint,),
        needs=(layout.python,),
        steps=tuple(steps),
    )
    await do(shell, layout, work, timeout=torch.setup_timeout, env=uv.environment(layout))


async def read_installed(shell: Shell, layout: Layout, torch: TorchSettings) -> Installed:
    """Import the package and return what it says; raise WorkspaceError when it cannot be."""
    await send_scripts(shell, layout, "read_build")
    script = f"{layout.scripts}/read_build.py"
    try:
        said = await shell.run(
            *(layout.python, "-I", script, torch.module), timeout=_IMPORT_TIMEOUT
        )
    except (CommandFailed, CommandTimedOut) as error:
        raise failure(f"import {torch.module}", error, layout) from error
    try:
        installed = Installed.model_validate(json.loads(said.stdout.strip().rpartition("\n")[2]))
    except (ValueError, ValidationError) as error:
        message = f"{torch.module} does not say which build it is"
        raise WorkspaceError(message) from error
    if not _COMMIT.fullmatch(installed.wheel_commit):
        raise WorkspaceError(
            f"{torch.module} {installed.version} does not name the commit it was built from "
            f"({torch.module}.version.git_version is {installed.wheel_commit[:50]!r})"
        )
    return installed
