"""The whole product as an operator runs it: real programs around the bot, and one issue."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from bot.app import Service, serving
from bot.models import Proof, RepositoryName
from bot.remote import processes
from bot.settings import Settings
from bot.store import Database, Leases
from tests.e2e.claude_log import Log
from tests.e2e.claude_program import program
from tests.fakes.github import FakeGitHub
from tests.fakes.model import ScriptedModel
from tests.fakes.sshd import RealSshd

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from bot.settings import MachineSettings
    from bot.store import Job
    from tests.e2e.bugs import Bug
    from tests.e2e.pytorch import PyTorch
    from tests.fakes.github.memory import Comment, Issue
    from tests.fakes.model_script import Script

REPOSITORY = "pytorch/pytorch"
MAINTAINER = "maintainer"
KEY = "sk-ant-the-key-that-stays-on-the-side-of-the-bot"
PATIENCE = 180.0
"""Seconds until a test gives up waiting for a job."""

_LOOK = 0.1


@dataclass(slots=True)
class Deployment:
    """The bot, and everybody it deals with."""

    github: FakeGitHub
    machine: RealSshd
    model: ScriptedModel
    settings: Settings
    bug: Bug
    issue: Issue
    service: Service | None = None

    @asynccontextmanager
    async def serving(self) -> AsyncGenerator[None]:
        """Run the service; again after this block it is the next process on the same state."""
        async with serving(self.settings) as service:
            self.github.hook.url = f"{service.url}/webhook"
            self.service = service
            yield

    async def ask(self) -> None:
        """Write the maintainer's comment."""
        await self.github.post_comment(
            REPOSITORY, self.issue.number, MAINTAINER, "/ptq investigate --gpu-type cpu --hours 1"
        )

    async def job(self) -> Job:
        """Return the issue's job, once it has ended."""
        assert self.service is not None
        jobs = self.service.jobs
        repository = RepositoryName.parse(REPOSITORY)
        async with asyncio.timeout(PATIENCE):
            while True:
                job = await jobs.newest(repository, self.issue.number)
                if job is not None and job.state.is_end:
                    return job
                await asyncio.sleep(_LOOK)  # its end is a row in the database

    async def proof(self, job: Job) -> Proof:
        """Return what the bot saw for itself, as it is kept."""
        assert self.service is not None
        text = await self.service.documents.read(job.id, 1, "proof.json")
        assert text is not None
        return Proof.model_validate_json(text)

    # What is seen in the thread

    def thread(self) -> list[Comment]:
        """The bot's comments under the issue, oldest first."""
        comments = self.github.comments(REPOSITORY, self.issue.number)
        assert [comment.via_app for comment in comments[:1]] == [False], "who asked comes first"
        return [comment for comment in comments if comment.via_app]

    def plain(self, text: str) -> str:
        """Replace what differs from run to run and from machine to machine."""
        text = text.replace(self.github.url, "https://github.com")
        text = re.sub(r"\b20\d{6}-", "YYYYMMDD-", text)
        text = re.sub(r"issuecomment-\d+", "issuecomment-ID", text)
        text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d", "DATE", text)
        text = re.sub(r"commit `[0-9a-f]{12}`", "commit `COMMIT`", text)
        text = re.sub(r"Python `3[.\d]+`", "Python `VERSION`", text)
        return re.sub(r"\b\d+ s\b|\b\d+ min(?: \d+ s)?\b", "N s", text)

    # What is seen on the machine

    @property
    def directory(self) -> Path:
        """The job's directory."""
        jobs = Path(self.settings.machines[0].workspace) / "jobs"
        (directory,) = jobs.glob(f"*-{self.issue.number}")
        return directory

    def log(self) -> Log:
        """What Claude Code wrote down."""
        return Log.read(self.directory / "claude-1.log")

    async def running(self) -> set[int]:
        """The agent's processes, from the runner to the last command."""
        return await asyncio.to_thread(_processes_of, self.directory)

    async def environment(self) -> str:
        """The variables of all of the agent's processes."""
        return await asyncio.to_thread(_environments, await self.running())

    async def lent(self) -> list[str]:
        """The machines that are lent; asked when no service runs."""
        database = await asyncio.to_thread(Database, self.settings.database)
        try:
            return [str(lease.machine) for lease in await Leases(database).living()]
        finally:
            await database.close()

    def files_with(self, text: str) -> list[str]:
        """Return the job's files on the machine, those of the agent's HOME too, with a text."""
        found: list[str] = []
        for top, directories, files in os.walk(self.directory):
            if top == str(self.directory):
                directories.remove(".venv")
            paths = (Path(top, name) for name in files)
            found += [
                str(path.relative_to(self.directory))
                for path in paths
                if not path.is_symlink() and text.encode() in path.read_bytes()
            ]
        return sorted(found)

    async def end_agent(self) -> None:
        """End what a test that failed left running."""
        jobs = Path(self.settings.machines[0].workspace) / "jobs"
        for directory in await asyncio.to_thread(lambda: [*jobs.glob(f"*-{self.issue.number}")]):
            find = partial(_processes_of, directory)
            await asyncio.to_thread(processes.end_all, find, grace=0)


def _processes_of(directory: Path) -> set[int]:
    """Return the processes whose words or variables name a directory."""
    found: set[int] = set()
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has just ended
            texts = [(process / name).read_bytes() for name in ("cmdline", "environ")]
            if any(os.fsencode(directory) in text for text in texts):
                found.add(int(process.name))
    return found


def _environments(pids: set[int]) -> str:
    read: list[str] = []
    for pid in pids:
        with suppress(ProcessLookupError):  # it has just ended
            read.append(Path(f"/proc/{pid}/environ").read_text(errors="replace"))
    return "\n".join(read)


@asynccontextmanager
async def deployment(
    root: Path,
    pytorch: PyTorch,
    workspace: Path,
    *,
    bug: Bug,
    script: Script,
    issue: int,
    key: str = KEY,
    retries: int = 10,
) -> AsyncGenerator[Deployment]:
    """Everything but the service.

    The model wants ``key``, and the bot has ``KEY``. The jobs of all tests share the workspace, so
    each needs the number of another issue.
    """
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    async with (
        FakeGitHub(check_openapi=True) as github,
        RealSshd(root / "machine", name="cpu-1", environment={"PATH": path}) as machine,
        ScriptedModel(script, key=key) as model,
    ):
        await github.add_repository(
            REPOSITORY, source=pytorch.source, collaborators={MAINTAINER: "write"}
        )
        deployed = Deployment(
            github=github,
            machine=machine,
            model=model,
            settings=_settings(
                github,
                model,
                pytorch,
                machine.settings.model_copy(update={"workspace": str(workspace)}),
                state=root / "state",
                retries=retries,
            ),
            bug=bug,
            issue=github.add_issue(
                REPOSITORY,
                bug.title,
                bug.body,
                author="reporter",
                labels=["module: nn"],
                number=issue,
            ),
        )
        try:
            yield deployed
        finally:
            await deployed.end_agent()


def _settings(
    github: FakeGitHub,
    model: ScriptedModel,
    pytorch: PyTorch,
    machine: MachineSettings,
    *,
    state: Path,
    retries: int,
) -> Settings:
    return Settings.model_validate(
        {
            "github": github.settings(),
            "state_dir": state,
            "port": 0,
            "provider": "pool",
            "machines": [machine],
            "agent": {"claude": {"command": program(), "max_retries": retries}, "stop_grace": 2},
            "model": {"base_url": model.url, "api_key": KEY},
            "torch": pytorch.settings,
            "progress_interval": 1,
            "poll_interval": 0.1,
        }
    )
