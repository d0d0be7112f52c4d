"""A place without a worktree, in which programs are run."""

from __future__ import annotations

import os
import sys
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bot.models import JobId, JobPaths
from bot.proof import programs, trials
from bot.proof.places import Grounds, Place
from bot.proof.trials import Program
from tests.fakes.proof import Ground, ground

if TYPE_CHECKING:
    from pathlib import Path

    from bot.proof.trials import Seen

__all__ = ["ground"]

LIMIT = timedelta(seconds=30)


class Trying:
    """A place without a worktree, in which programs are run."""

    def __init__(self, ground: Ground, top: Path) -> None:
        """Use a directory for the place."""
        self.grounds = Grounds(
            shell=ground.shell,
            layout=ground.layout,
            job_id=JobId("20260105-trial-1"),
            build=ground.build,
            torch=ground.torch,
        )
        paths = JobPaths(
            directory=str(top), worktree=str(top / "pytorch"), environment=str(top / ".venv")
        )
        path = f"{os.path.dirname(sys.executable)}:/usr/bin:/bin"  # noqa: PTH120 -- a string
        variables = {
            "PATH": path,
            "HOME": str(top / "home"),
            "LC_ALL": "C.UTF-8",
            "PTQ_MARKS": str(top / "marks"),
        }
        self.place = Place(paths=paths, variables=variables, marker=top.name, real=str(top))
        (top / "pytorch").mkdir()

    async def run(
        self, text: str, *, count: int = 1, limit: timedelta = LIMIT, marked: bool = False
    ) -> list[Seen]:
        """Run a Python program."""
        await programs.send(self.grounds.shell, self.grounds.layout)
        before = (programs.run_to_end(self.grounds.layout),) if marked else ()
        program = Program(
            argv=("python", *before, "repro.py"),
            shown=("python", "repro.py"),
            files={"repro.py": text},
        )
        return await trials.run(self.grounds, self.place, program, count=count, limit=limit)


@pytest.fixture
def trying(ground: Ground, tmp_path: Path) -> Trying:
    """A place of its own for each test."""
    return Trying(ground, tmp_path)
