"""A job in a prepared workspace on this machine, whose agent has ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.patch import decode, read_patch
from bot.workspace.collect import collect
from bot.workspace.layout import Layout
from bot.workspace.prepare import prepare
from bot.workspace.worktree import create
from tests.fakes.minitorch import at, make, shell

if TYPE_CHECKING:
    from pathlib import Path

    from bot.machines.local import LocalShell
    from bot.models import Collected, JobPaths, TorchBuild


class Job:
    """A job whose agent has ended."""

    def __init__(self, top: Path, shell: LocalShell, paths: JobPaths, build: TorchBuild) -> None:
        """Take a job that was made."""
        self.shell = shell
        self.paths = paths
        self.build = build
        self.into = top / "state" / "run-1"
        self.directory = at(paths.directory)
        self.worktree = at(paths.worktree)

    async def collect(self, *, limit: int = 100_000) -> Collected:
        """Collect the job's first run."""
        return await collect(
            self.shell,
            self.paths,
            self.build,
            run=1,
            agent="claude",
            into=self.into,
            limit=limit,
        )

    async def patch(self) -> str:
        """Collect, and return the patch."""
        collected = await self.collect()
        assert not collected.partial
        return decode((self.into / "fix.diff").read_bytes())

    async def changes(self) -> dict[str, str]:
        """Collect, and return what the patch does to each file."""
        return {file.path: str(file.change) for file in read_patch(await self.patch()).files}


async def make_job(top: Path) -> Job:
    """Make a job in which nothing was changed."""
    mini, _ = await make(top)
    home = top / "home"
    home.mkdir()
    machine = shell(home)
    layout = Layout(f"{home}/ptq_workspace")

    async def tell(_: str) -> None:
        """Nobody listens."""

    build = await prepare(machine, layout, mini.settings(), tell=tell)
    paths = await create(machine, layout, "20261122-pytorch-1", build, module="minitorch")
    return Job(top, machine, paths, build)
