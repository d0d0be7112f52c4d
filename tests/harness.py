"""The bot between a GitHub with a memory and a machine, for tests that read as conversations."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp

from bot.app import Service, serving
from bot.models import JobState, RepositoryName
from bot.settings import Settings, WorkerSettings
from demo import story
from tests.fakes.github.git import BareRepository
from tests.fakes.github.memory import Pull

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from bot.store import Job
    from demo.project import Project
    from tests.fakes.github import FakeGitHub
    from tests.fakes.github.memory import Comment, Issue
    from tests.fakes.machine import FakeMachine
    from tests.fakes.postgres import Postgres
    from tests.fakes.sshd import RealSshd

REPOSITORY = "pytorch/pytorch"
MAINTAINER = "maintainer"
TRIAGER = "triager"
STRANGER = "stranger"
REPORTER = "reporter"

SCRIPTED_AGENT = Path(__file__).with_name("fakes") / "scripted_agent.py"
SCRIPTED_CODEX = SCRIPTED_AGENT.with_name("scripted_codex.py")
_LOOK = 0.02
PATIENCE = 45.0
"""Seconds until a test gives up waiting for the bot."""

Steps = list[dict[str, Any]]


class Bot:
    """The running bot, and everybody it deals with."""

    def __init__(
        self, github: FakeGitHub, machine: FakeMachine, settings: Settings, directory: Path
    ) -> None:
        """Talk about one issue unless told otherwise."""
        self.github = github
        self.machine = machine
        self.settings = settings
        self.directory = directory
        self.issue: Issue = github.add_issue(
            REPOSITORY, story.TITLE, story.BODY, author=REPORTER, labels=["module: nn"]
        )
        self._service: Service | None = None
        self._unread: list[str] = []

    # The service

    @asynccontextmanager
    async def serving(self) -> AsyncGenerator[Service]:
        """Run the service; again after this block it is the next process on the same state."""
        async with serving(self.settings) as service:
            self.github.hook.url = f"{service.url}/webhook"
            self._service = service
            yield service

    # What people and agents do

    async def comment(
        self, text: str, *, author: str = MAINTAINER, issue: Issue | None = None
    ) -> Comment:
        """Write a comment, and have it delivered."""
        number = (issue or self.issue).number
        return await self.github.post_comment(REPOSITORY, number, author, text)

    def agent_does(
        self, steps: Sequence[dict[str, Any]], *, then: Sequence[dict[str, Any]] = ()
    ) -> None:
        """Script the next runs of the agent, and what it does when it gets another try."""
        again = [*then, {"say": "That is all."}]
        scenario = {"steps": list(steps), "resumed": again, "usd_per_turn": 0.02}
        (self.directory / "scenario.json").write_text(json.dumps(scenario))

    # What is seen

    async def next_text(self) -> str:
        """Return the next comment that the bot wrote, without what differs from run to run."""
        while not self._unread:
            async with asyncio.timeout(PATIENCE):
                change = await self.github.events.get()
            if change.kind == "comment":
                self._unread.append(change.text)
        return self.plain(self._unread.pop(0))

    async def edited(self, words: str) -> None:
        """Wait until the progress comment holds these words."""
        await self.github.wait_for(lambda: words in self.comments()[0].body, seconds=PATIENCE)

    def unread(self) -> list[str]:
        """Return what the bot said and no test read."""
        while not self.github.events.empty():
            change = self.github.events.get_nowait()
            if change.kind == "comment":
                self._unread.append(change.text)
        return self._unread

    async def job(self) -> Job:
        """Return the newest job of the issue, once it has ended."""
        jobs = self.service.jobs
        unended = True
        while unended:
            unended = bool(await jobs.unfinished())
            await asyncio.sleep(_LOOK if unended else 0)
        job = await jobs.newest(RepositoryName.parse(REPOSITORY), self.issue.number)
        assert job is not None
        return job

    async def handled(self) -> None:
        """Wait until every delivery that holds a command is handled."""
        waiting = 1
        while waiting:
            waiting = await self.service.deliveries.waiting()
            await asyncio.sleep(_LOOK if waiting else 0)

    async def reached(self, state: JobState) -> None:
        """Wait until the issue's job is in this state."""
        there = False
        while not there:
            unfinished = await self.service.jobs.unfinished()
            there = any(job.state is state for job in unfinished)
            await asyncio.sleep(0 if there else _LOOK)

    async def without_commit(self) -> None:
        """Give the workspace a source whose history does not hold the wheel's commit."""
        other = self.directory / "other.git"
        await BareRepository.created(other, files={"tinytorch/__init__.py": ""})
        torch = self.settings.torch.model_copy(update={"source_url": str(other)})
        self.settings = self.settings.model_copy(update={"torch": torch})

    @property
    def service(self) -> Service:
        """The running service."""
        assert self._service is not None
        return self._service

    def comments(self) -> list[Comment]:
        """The bot's comments under the issue, oldest first."""
        return [one for one in self.github.comments(REPOSITORY, self.issue.number) if one.via_app]

    def report(self) -> str:
        """The progress comment as it stands."""
        return self.plain(self.comments()[0].body)

    def as_pull(self, issue: Issue, *, head: str, sha: str) -> None:
        """Make a thread that of a pull request."""
        issue.pull = Pull(
            id=issue.id + 1, head=head, base="main", base_sha=sha, draft=False, head_sha=sha
        )

    def http(self) -> aiohttp.ClientSession:
        """Return a session for requests of one's own."""
        return aiohttp.ClientSession()

    def reactions(self, comment: Comment) -> list[str]:
        """What the bot's reactions to a comment are."""
        return [reaction.content for reaction in comment.reactions]

    def plain(self, text: str) -> str:
        """Replace what differs from run to run: addresses, dates, durations, hashes."""
        text = text.replace(self.github.url, "https://github.com")
        text = text.replace(str(self.machine.home), "/home/ptq")
        text = text.replace(str(self.directory), "/srv")
        text = re.sub(r"\b20\d{6}-", "YYYYMMDD-", text)
        text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d(?::\d\d)?", "DATE", text)
        text = re.sub(r"issuecomment-\d+|comment=\d+", lambda found: _same(found[0]), text)
        second = r"\b\d+(?:\.\d+)? s\b"
        text = re.sub(rf"{second}(?: to {second})?|\b\d+ min(?: \d+ s)?\b", "N s", text)
        return re.sub(r": N s$|, N s$", "", text, flags=re.MULTILINE)


def on_postgres(bot: Bot, server: Postgres) -> Bot:
    """Have a bot's services share a database, and take over who is silent for three seconds."""
    quick = WorkerSettings(heartbeat=timedelta(seconds=0.2), silence=timedelta(seconds=3))
    changes = {"database_url": server.database(), "workers": quick}
    bot.settings = bot.settings.model_copy(update=changes)
    return bot


def _same(text: str) -> str:
    return re.sub(r"\d+", "ID", text)


async def settings_for(
    github: FakeGitHub, machine: FakeMachine | RealSshd, project: Project, directory: Path
) -> Settings:
    """Return the bot's settings between these, as quick as can be."""
    python = f"env PTQ_SCENARIO={directory / 'scenario.json'} {sys.executable}"
    return Settings.model_validate(
        {
            "github": github.settings(),
            "state_dir": directory / "state",
            "port": 0,
            "provider": "pool",
            "machines": [machine.settings],
            "agent": {
                "claude": {"command": f"{python} {SCRIPTED_AGENT}"},
                "codex": {"command": f"{python} {SCRIPTED_CODEX}"},
                "stop_grace": 1,
            },
            "torch": {
                "package": "tinytorch",
                "module": "tinytorch",
                "index_url": str(project.index),
                "tagged": False,
                "cuda": "cpu",
                "source_url": str(project.source),
                "python": sys.executable,
                "extra_packages": [],
            },
            "proof": {"time_limit": 3},
            "progress_interval": 0,
            "poll_interval": 0.05,
        }
    )
