"""GitHub as the bot sees it: who the App is, and the repositories it is installed on."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bot.fence import Fence
from bot.github.answers import AppIdentity, Installation, InstalledOn, Owner, read
from bot.github.calls import PER_PAGE, Call, Calls
from bot.github.comments import Comments
from bot.github.hook import Hook
from bot.github.personal import PersonalToken
from bot.github.repository import Repository
from bot.github.tokens import AppToken, InstallationToken
from bot.models import Person, RepositoryName

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    import aiohttp

    from bot.settings import GitHubSettings

READING_AND_TALKING: Mapping[str, str] = {
    "contents": "read",
    "issues": "write",
    "metadata": "read",
    "pull_requests": "read",
}
"""What everyday tokens may (GitHub's "Permissions required for GitHub Apps")."""
READING_NOTHING: Mapping[str, str] = {"metadata": "read"}
"""What the token may that lists an installation's repositories."""
PUBLISHING: Mapping[str, str] = {"contents": "write", "pull_requests": "write"}
"""What the token of a publication may; not ``workflows``, so that no workflow can be changed."""

MAX_INSTALLATIONS = 1000
"""How many we look at: ten pages."""


class GitHub:
    """The way into GitHub for one App; one of these per process, closed with its session."""

    def __init__(
        self,
        settings: GitHubSettings,
        session: aiohttp.ClientSession,
        *,
        token: str = "",
        fence: Fence | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Ask for nothing yet, and write only while the ``fence`` is open.

        ``token`` is a person's own, for what no installation does; ``sleep`` (seconds) and
        ``clock`` (aware) are for tests.
        """
        self._calls = Calls(settings, session, fence=fence or Fence(), sleep=sleep, clock=clock)
        self._app_token = AppToken(settings, clock=clock)
        self.hook = Hook(self._calls, self._app_token)
        self._person = PersonalToken(token)
        self._identity: AppIdentity | None = None
        self._tokens: dict[tuple[object, ...], InstallationToken] = {}

    async def app(self) -> AppIdentity:
        """Return who we are, asked once; raise GitHubError or ConfigurationError."""
        if self._identity is None:
            call = Call(method="GET", url="/app", bearer=self._app_token)
            self._identity = read(AppIdentity, await self._calls.send(call))
        return self._identity

    async def installation_id(self, repository: RepositoryName) -> int:
        """Return the App's installation there; raise GitHubNotFound when there is none."""
        call = Call(
            method="GET",
            url="/repos/{owner}/{repo}/installation",
            fields={"owner": repository.owner, "repo": repository.name},
            bearer=self._app_token,
        )
        return read(Installation, await self._calls.send(call)).id

    async def installations(self) -> list[Installation]:
        """Return where the App is installed and not suspended; raise GitHubError."""
        call = Call(
            method="GET", url=f"/app/installations?per_page={PER_PAGE}", bearer=self._app_token
        )
        answers = await self._calls.pages(call, limit=MAX_INSTALLATIONS)
        found = [read(Installation, answer) for answer in answers]
        return [installation for installation in found if not installation.is_suspended]

    async def installed_on(self, installation_id: int) -> list[RepositoryName]:
        """Return the repositories that an installation reaches; raise GitHubError."""
        token = self._token(None, installation_id, READING_NOTHING)
        call = Call(
            method="GET", url=f"/installation/repositories?per_page={PER_PAGE}", bearer=token
        )
        names: list[RepositoryName] = []
        async with aclosing(self._calls.walk(call, key="repositories")) as pages:
            async for page in pages:
                names += [RepositoryName.parse(read(InstalledOn, one).full_name) for one in page]
        return names

    async def person(self) -> Person:
        """Return whose the personal token is; raise GitHubError."""
        call = Call(method="GET", url="/user", bearer=self._person)
        owner = read(Owner, await self._calls.send(call))
        return Person(login=owner.login, id=owner.id)

    def personal_repository(self, name: RepositoryName) -> Repository:
        """Return the repository as the person with the token may use it."""
        return Repository(name, self._calls, self._person)

    def repository(self, name: RepositoryName, installation_id: int) -> Repository:
        """Return the repository, to read it and to talk in its threads."""
        token = self._token(name, installation_id, READING_AND_TALKING)
        return Repository(name, self._calls, token)

    def comments(self, name: RepositoryName, installation_id: int) -> Comments:
        """Return the comments of a repository, to read them again."""
        token = self._token(name, installation_id, READING_AND_TALKING)
        return Comments(name, installation_id, self._calls, token)

    def publishing_repository(self, name: RepositoryName, installation_id: int) -> Repository:
        """Return the repository, to push a branch and to open a pull request, and no more."""
        token = self._token(name, installation_id, PUBLISHING)
        return Repository(name, self._calls, token)

    def _token(
        self,
        name: RepositoryName | None,
        installation_id: int,
        permissions: Mapping[str, str],
    ) -> InstallationToken:
        key = installation_id, str(name).lower(), tuple(permissions.items())
        if key not in self._tokens:
            self._tokens[key] = InstallationToken(
                self._calls,
                self._app_token,
                installation_id=installation_id,
                repository=name,
                permissions=permissions,
            )
        return self._tokens[key]
