"""Everything that one job needs, on this computer: a GitHub, a machine, the sample, the service."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import shutil
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bot.app import Service, serving
from bot.models import RepositoryName
from bot.settings import Settings
from demo import leftovers, project, story
from tests.fakes.github import FakeGitHub
from tests.fakes.machine import FakeMachine

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from bot.store import Job
    from demo.player import Player
    from demo.project import Project
    from tests.fakes.github import Comment, Issue

NEEDED = ("git", "bash")
"""Programs that the machine and the GitHub of the demonstration run."""


_STDERR_BYTES = 2000


@dataclass(frozen=True, slots=True)
class Stage:
    """The world of the demonstration, with the service running in it."""

    github: FakeGitHub
    machine: FakeMachine
    service: Service

    async def ask(self, text: str) -> Comment:
        """Write a comment as the maintainer, and deliver it signed."""
        return await self.github.post_comment(
            story.REPOSITORY, story.ISSUE_NUMBER, story.MAINTAINER, text
        )

    async def job(self) -> Job | None:
        """Return the issue's job, if there is one yet."""
        repository = RepositoryName.parse(story.REPOSITORY)
        return await self.service.jobs.newest(repository, story.ISSUE_NUMBER)

    async def diff(self, number: int) -> str:
        """Return what a pull request changes, as a unified diff."""
        return await self.github.diff(story.REPOSITORY, number)

    @property
    def issue(self) -> Issue:
        """The issue that is investigated."""
        return self.github.issue(story.REPOSITORY, story.ISSUE_NUMBER)

    @property
    def pulls(self) -> list[Issue]:
        """The pull requests, oldest first."""
        return self.github.pulls(story.REPOSITORY)

    def directory(self, job: Job) -> Path:
        """Return the job's directory on the machine."""
        return self.machine.home / "ptq_workspace" / "jobs" / job.id

    def log_name(self, job: Job) -> str:
        """Return the name of the agent's log in the job's directory; its stderr lies beside it."""
        return f"{job.request.options.agent}-{job.request.run}.log"

    def stderr(self, job: Job) -> str:
        """Return the end of what the agent's program complained about; it blocks."""
        try:
            text = (self.directory(job) / f"{self.log_name(job)}.stderr").read_bytes()
        except FileNotFoundError:
            return ""
        return text[-_STDERR_BYTES:].decode(errors="replace").strip()


def missing_programs() -> list[str]:
    """Return which of the needed programs this computer lacks."""
    return [name for name in NEEDED if shutil.which(name) is None]


@asynccontextmanager
async def staged(directory: Path, player: Player) -> AsyncGenerator[Stage]:
    """Build the world under ``directory`` and serve in it; at the end nothing of it runs on."""
    sample = await project.build(directory / "project")
    machine = FakeMachine(
        directory / "machine", name="cpu-1", environment={"PATH": _path(), "TMPDIR": str(directory)}
    )
    async with FakeGitHub() as github, _ended(machine):
        await github.add_repository(
            story.REPOSITORY, source=sample.source, collaborators={story.MAINTAINER: "maintain"}
        )
        github.add_issue(
            story.REPOSITORY,
            story.TITLE,
            story.BODY,
            author=story.REPORTER,
            labels=["module: nn"],
            number=story.ISSUE_NUMBER,
        )
        scenario = directory / "scenario.json"
        await asyncio.to_thread(scenario.write_text, json.dumps(story.scenario()))
        settings = _settings(
            github,
            machine,
            sample,
            directory / "state",
            player,
            command=player.command(scenario=scenario),
        )
        async with serving(settings) as service:
            github.listen(f"{service.url}/webhook")
            yield Stage(github=github, machine=machine, service=service)


@asynccontextmanager
async def _ended(machine: FakeMachine) -> AsyncGenerator[None]:
    """Run the machine, and end with it whatever runs on it: the agent outlives connections."""
    async with machine:
        # A login's programs: the agent is asked of a login shell, whose profile sets its own PATH.
        profile = f"PATH={shlex.quote(_path())}\nexport PATH\n"
        await asyncio.to_thread((machine.home / ".bash_profile").write_text, profile)
        try:
            yield
        finally:
            await asyncio.to_thread(leftovers.end, machine.home)


def _path() -> str:
    """Return PATH with the programs beside this Python, `uv` among them."""
    return f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"


def _settings(
    github: FakeGitHub,
    machine: FakeMachine,
    sample: Project,
    state: Path,
    player: Player,
    *,
    command: str,
) -> Settings:
    return Settings.model_validate(
        {
            "github": github.settings(),
            "state_dir": state,
            "port": 0,
            "provider": "pool",
            "machines": [machine.settings],
            "agent": {"claude": {"command": command}, "stop_grace": 1},
            "model": dict(player.model),
            "torch": {
                "package": project.PACKAGE,
                "module": project.PACKAGE,
                "index_url": str(sample.index),
                "tagged": False,
                "cuda": "cpu",
                "source_url": str(sample.source),
                "python": sys.executable,
                "extra_packages": [],
            },
            "progress_interval": 0.5,
            "poll_interval": 0.05,
        }
    )
