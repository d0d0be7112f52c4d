"""Clean places on the machine: worktrees at the base commit with environments of their own.

They are made from the workspace as a job's are, and never from what an agent worked in.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from bot.errors import CommandFailed, CommandTimedOut, PatchRefused
from bot.proof import programs
from bot.workspace.worktree import create, remove

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.machines.base import Shell
    from bot.models import JobId, JobPaths, TorchBuild
    from bot.settings import TorchSettings
    from bot.workspace.layout import Layout

Side = Literal["base", "green"]
_SIDES: tuple[Side, ...] = ("base", "green")

_APPLY = (
    *("git", "-c", "core.hooksPath=/dev/null", "-c", "core.attributesFile=/dev/null"),
    *("-c", "core.autocrlf=false", "apply", "--whitespace=nowarn", "-p1"),
)
_APPLY_TIMEOUT = timedelta(minutes=2)
_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Place:
    """A clean worktree with its environment."""

    paths: JobPaths
    variables: Mapping[str, str]
    """The whole environment of what is run here."""
    marker: str
    """Names the processes of this proof on the machine."""
    real: str
    """The directory without symbolic links, as programs tell it."""

    @property
    def work(self) -> str:
        """The repro's directory: new for each run."""
        return f"{self.paths.directory}/scene"

    @property
    def home(self) -> str:
        """The home of what is run here: new for each run."""
        return f"{self.paths.directory}/home"

    @property
    def marks(self) -> str:
        """Where processes say that they ran to their end."""
        return f"{self.paths.directory}/marks"

    @property
    def report(self) -> str:
        """Where the test driver writes."""
        return f"{self.paths.directory}/report"

    def plain(self, text: str) -> str:
        """Take the place's own directory out of a text: ``repro.py``, ``pytorch/torch/…``.

        NUL, which databases do not take, is replaced.
        """
        text = text.replace("\0", "\ufffd")
        for directory in dict.fromkeys((self.real, self.paths.directory)):
            text = text.replace(f"{directory}/scene/", "").replace(f"{directory}/", "")
        return text


@dataclass(frozen=True, slots=True)
class Grounds:
    """Everything that is needed to make places."""

    shell: Shell
    layout: Layout
    job_id: JobId
    build: TorchBuild
    torch: TorchSettings
    variables: Mapping[str, str] = field(default_factory=dict[str, str])
    """What is run gets these beside its own: which GPUs are the job's."""
    path: str = ""
    """The login's PATH."""
    real_jobs: str = ""
    """The directory of jobs without symbolic links."""

    @property
    def marker(self) -> str:
        """Name this proof's processes: another workspace may have a job of this name."""
        place = hashlib.sha256(self.layout.root.encode()).hexdigest()[:8]
        return f"{self.job_id}-proof-{place}"

    def paths(self, side: Side) -> JobPaths:
        """Return where a place lies."""
        return self.layout.job(f"{self.job_id}.{side}")


async def opened(grounds: Grounds) -> Grounds:
    """Send our programs, remove what an earlier proof left, learn the login's PATH."""
    await programs.send(grounds.shell, grounds.layout)
    await clear(grounds)
    said = await grounds.shell.run(
        *("bash", "-lc", 'printf "\\n%s\\n%s" "$(realpath -m -- "$1")" "$PATH"', "bash"),
        grounds.layout.jobs,
    )
    real_jobs, path = said.stdout.rsplit("\n", maxsplit=2)[-2:]
    return replace(grounds, path=path, real_jobs=real_jobs)


async def clear(grounds: Grounds) -> None:
    """Remove both places; fine when they are gone."""
    for side in _SIDES:
        if await grounds.shell.stat(grounds.paths(side).directory) is not None:
            await remove(grounds.shell, grounds.layout, f"{grounds.job_id}.{side}")


async def make(grounds: Grounds, side: Side) -> Place:
    """Make a place at the base commit; raise WorkspaceError."""
    paths = await create(
        grounds.shell,
        grounds.layout,
        f"{grounds.job_id}.{side}",
        grounds.build,
        module=grounds.torch.module,
    )
    real = f"{grounds.real_jobs}/{grounds.job_id}.{side}"
    place = Place(paths=paths, variables={}, marker=grounds.marker, real=real)
    variables = {
        **grounds.variables,
        "PATH": f"{paths.environment}/bin:{grounds.path}",
        "HOME": place.home,
        "LANG": "C.UTF-8",
        "PYTHONPATH": paths.worktree,
        "PYTHONUNBUFFERED": "1",  # so that both streams stand in the order in which they were said
        "VIRTUAL_ENV": paths.environment,
        # Below the home, for the next run to find none of it; not TMPDIR: sockets need short paths.
        "TORCHINDUCTOR_CACHE_DIR": f"{place.home}/inductor",
        "PTQ_MARKS": place.marks,
        "PTQ_LIBRARY": f"{paths.worktree}/{grounds.torch.module}/",
    }
    return replace(place, variables=variables)


async def apply(grounds: Grounds, place: Place, patch: str, *options: str) -> None:
    """Apply a patch to a place's worktree, as it will be published; raise PatchRefused.

    ``options`` are git's: ``--include=PATH``, ``--exclude=PATH``.
    """
    try:
        await grounds.shell.run(
            *(*_APPLY, *options, "-"),
            cwd=place.paths.worktree,
            env={"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null", "LC_ALL": "C"},
            stdin=patch.encode(),
            timeout=_APPLY_TIMEOUT,
        )
    except (CommandFailed, CommandTimedOut) as error:
        said = error.stderr if isinstance(error, CommandFailed) else str(error)
        first = ascii(said.strip().partition("\n")[0])[1:-1].removeprefix("error: ")
        raise PatchRefused(
            f"the patch does not apply to the base commit: {first[:_SHOWN]}"
        ) from error
