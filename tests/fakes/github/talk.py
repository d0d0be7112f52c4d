"""The bot's way to GitHub and the fake GitHub, connected, on one clock that only tests move."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import aiohttp

from bot.github import CommitAuthor, GitHub, Repository, TreeEntry
from bot.models import RepositoryName
from tests.fakes.github.server import FakeGitHub

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

REPOSITORY = "pytorch/pytorch"
AUTHOR = CommitAuthor(name="ptq", email="ptq@example.org", date=datetime(2026, 1, 2, tzinfo=UTC))
NAME = RepositoryName.parse(REPOSITORY)


@dataclass(slots=True)
class Clock:
    """A clock that stands still; who sleeps moves it."""

    time: datetime = datetime(2026, 3, 14, 15, 9, 26, tzinfo=UTC)
    slept: list[float] = field(default_factory=list[float])

    def now(self) -> datetime:
        """Return the time."""
        return self.time

    def go(self, **duration: float) -> None:
        """Let time pass: ``minutes=5``."""
        self.time += timedelta(**duration)

    async def sleep(self, seconds: float) -> None:
        """Sleep, which takes no time but the clock's."""
        self.slept.append(seconds)
        self.go(seconds=seconds)


@dataclass(slots=True)
class Talk:
    """The two ends, and a repository with issue 1 by ``reporter``."""

    github: FakeGitHub
    client: GitHub
    repository: Repository
    publishing: Repository
    clock: Clock
    installation_id: int
    session: aiohttp.ClientSession

    @property
    def account(self) -> str:
        """The installation, as the log of requests calls it."""
        return f"installation {self.installation_id}"

    def sent(self, method: str, ending: str) -> list[int | None]:
        """Return how the calls of the route with this ending were answered."""
        return [
            request.status
            for request in self.github.requests
            if request.method == method and request.route.endswith(ending)
        ]

    async def base(self) -> str:
        """Return the commit at the head of the default branch."""
        sha = await self.repository.branch(await self.repository.default_branch())
        assert sha is not None
        return sha

    async def push(self, branch: str) -> str:
        """Make a branch with a commit that edits one file, adds one and removes one."""
        base, to = await self.base(), self.publishing
        tree = await to.create_tree(
            (await self.repository.commit(base)).tree,
            [
                TreeEntry(path="torch/nn.py", sha=await to.create_blob(b"x = 2\n")),
                TreeEntry(path="torch/new.py", sha=await to.create_blob(b"y = 3\n")),
                TreeEntry(path="README.md", sha=None),
            ],
        )
        message = "Fix nn\n\nIn two lines."
        commit = await to.create_commit(message, tree=tree, parents=[base], author=AUTHOR)
        await to.create_branch(branch, commit)
        return commit


@asynccontextmanager
async def talking(**settings: Any) -> AsyncGenerator[Talk]:  # noqa: ANN401 -- a setting's value
    """Connect the two; every call is held against GitHub's OpenAPI description."""
    clock = Clock()
    async with (
        FakeGitHub(check_openapi=True, clock=clock.now) as github,
        aiohttp.ClientSession() as session,
    ):
        project = await github.add_repository(
            REPOSITORY,
            files={"README.md": "# Tensors\n", "torch/nn.py": "x = 1\n"},
            collaborators={
                "maintainer": "maintain",
                "writer": "write",
                "triager": "triage",
                "releaser": ("release-manager", "write"),
            },
        )
        github.add_issue(REPOSITORY, "It crashes", "Like so.", author="reporter", labels=["bug"])
        client = GitHub(github.settings(**settings), session, sleep=clock.sleep, clock=clock.now)
        installation_id = project.installation_id or 0
        yield Talk(
            github=github,
            client=client,
            repository=client.repository(NAME, installation_id),
            publishing=client.publishing_repository(NAME, installation_id),
            clock=clock,
            installation_id=installation_id,
            session=session,
        )
