"""The fake GitHub: started, told what exists, talked to as a person, made to fail, looked at."""

from __future__ import annotations

import asyncio
import shutil
import socket
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from aiohttp import web
from pydantic import SecretStr

from bot.settings import GitHubSettings
from tests.fakes.github.deliveries import Hook
from tests.fakes.github.door import API, Door
from tests.fakes.github.faults import Faults
from tests.fakes.github.git import BareRepository
from tests.fakes.github.pages import Pages
from tests.fakes.github.world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from types import TracebackType

    from tests.fakes.github.deliveries import Delivery
    from tests.fakes.github.door import Request
    from tests.fakes.github.memory import Change, Comment, Issue, Project
    from tests.fakes.github.replies import Incoming, Reply, Route

WEBHOOK_SECRET = "It's a Secret to Everybody"
MAX_REQUEST_BYTES = 50 * 1024 * 1024


class FakeGitHub:
    """GitHub on loopback. An asynchronous context manager; leaving it checks the OpenAPI problems.

    ``clock`` (aware) is GitHub's own, for threads and tokens; ``port`` 0 takes a free one.
    """

    def __init__(
        self,
        *,
        check_openapi: bool = False,
        webhook_url: str | None = None,
        webhook_secret: str = WEBHOOK_SECRET,
        app_slug: str = "ptq",
        port: int = 0,
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        """Start nothing yet."""
        self._check_openapi = check_openapi
        self._webhook_url = webhook_url
        self._secret = webhook_secret
        self._slug = app_slug
        self._port = port
        self._clock = clock
        self._echoes: set[asyncio.Task[Delivery]] = set()
        self.faults = Faults()
        self.fail_next = self.faults.fail_next
        self.drop_next = self.faults.drop_next
        self.hold_next = self.faults.hold_next

    async def __aenter__(self) -> Self:
        """Serve."""
        self._directory = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="ptq-github-"))
        app = web.Application(client_max_size=MAX_REQUEST_BYTES)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        # The address must be known before there is anything to serve: objects carry it.
        listener = await asyncio.to_thread(_listen, self._port)
        self.url = "http://{}:{}".format(*listener.getsockname())
        self.api_url = self.url + API
        self.world = World(site=self.url, api=self.api_url, app_slug=self._slug, clock=self._clock)
        self.hook = Hook(self.world, self._secret, self._webhook_url)
        self.deliver = self.hook.deliver
        self.redeliver = self.hook.redeliver
        self.door = Door(self.world, self.faults, check_openapi=self._check_openapi)
        self.door.on_done = self._echo
        await asyncio.to_thread(self.door.load)
        app.add_routes([*self.door.routes(), *Pages(self.world).routes()])
        await self._runner.setup()
        await web.SockSite(self._runner, listener).start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop, and raise AssertionError where a call or an answer was not as GitHub describes."""
        self.faults.stop()
        for task in self._echoes:
            task.cancel()
        await asyncio.gather(*self._echoes, return_exceptions=True)
        await self.hook.close()
        await self._runner.cleanup()
        await asyncio.to_thread(shutil.rmtree, self._directory)
        if kind is None and self.door.problems:
            raise AssertionError("\n".join(self.door.problems))

    # For the bot

    @property
    def app_id(self) -> int:
        """The App's number."""
        return self.world.app.id

    def listen(self, webhook_url: str | None) -> None:
        """Deliver to this address from now on."""
        self.hook.url = webhook_url

    def settings(self, **changes: Any) -> GitHubSettings:  # noqa: ANN401 -- a setting's value
        """Return the bot's settings for this GitHub."""
        values: dict[str, Any] = {
            "app_id": self.app_id,
            "private_key": SecretStr(self.world.app.private_key),
            "webhook_secret": SecretStr(self._secret),
            "api_url": self.api_url,
            "repositories": tuple(p.full_name for p in self.world.projects.values()),
        }
        return GitHubSettings(**(values | changes))

    # What exists

    async def add_repository(
        self,
        full_name: str,
        *,
        source: Path | None = None,
        files: Mapping[str, str] | None = None,
        collaborators: Mapping[str, str | tuple[str, str]] | None = None,
        installed: bool = True,
        private: bool = False,
    ) -> Project:
        """Make a repository: a copy of a local one, or with one commit that holds ``files``.

        A collaborator's role is one of GitHub's, or ``(own name, the role it is based on)``.
        """
        directory = self._directory / f"{full_name.replace('/', '-')}.git"
        if source is not None:
            git = await BareRepository.copied(source, directory)
        else:
            content = files or {"README.md": f"# {full_name}\n"}
            git = await BareRepository.created(directory, files=content)
        return self.world.add_project(
            full_name,
            git,
            default_branch=await git.head(),
            collaborators=collaborators or {},
            installed=installed,
            private=private,
        )

    def add_issue(
        self,
        repository: str,
        title: str,
        body: str | None = "",
        *,
        author: str = "reporter",
        labels: Sequence[str] = (),
        number: int | None = None,
    ) -> Issue:
        """Open an issue, with the next number or with this one; nothing is delivered."""
        project = self.world.project(repository)
        account = self.world.account(author)
        issue = self.world.add_issue(project, title=title, body=body, author=account, number=number)
        issue.labels = [self.world.label(project, name) for name in labels]
        return issue

    def add_comment(self, repository: str, number: int, author: str, body: str) -> Comment:
        """Write a comment that nothing is delivered of."""
        project = self.world.project(repository)
        account = self.world.account(author)
        return self.world.add_comment(project, number, author=account, body=body)

    # What people do

    async def post_comment(self, repository: str, number: int, author: str, body: str) -> Comment:
        """Write a comment and deliver it; ``deliveries[-1]`` tells what the bot answered."""
        comment = self.add_comment(repository, number, author, body)
        await self._deliver_comment("created", comment, sender=author)
        return comment

    async def edit_comment(
        self, comment: Comment, body: str, *, editor: str | None = None
    ) -> Comment:
        """Change a comment, as its author or as somebody with the right to; deliver it."""
        old = comment.body
        self.world.edit_comment(comment, body)
        author = comment.author.login if comment.author else "ghost"
        await self._deliver_comment("edited", comment, sender=editor or author, old_body=old)
        return comment

    async def add_label(self, repository: str, number: int, name: str, *, by: str) -> Delivery:
        """Put a label on an issue and deliver it."""
        project = self.world.project(repository)
        issue, label = self.world.issue(project, number), self.world.label(project, name)
        if label not in issue.labels:
            issue.labels.append(label)
        issue.updated_at = self.world.now()
        payload = self.hook.label_payload(
            "labeled", project, issue, label, sender=self.world.account(by)
        )
        return await self.hook.deliver("issues", payload)

    # What goes wrong

    def expire_tokens(self) -> None:
        """End every installation's token now."""
        self.world.app.tokens.clear()

    def exhaust_rate(self, account: str) -> None:
        """Use up what is left of an account's hour (``app``, ``installation N``)."""
        self.door.remaining[account] = 0

    # What is seen

    @property
    def requests(self) -> list[Request]:
        """Every call of the API, oldest first."""
        return self.door.requests

    @property
    def deliveries(self) -> list[Delivery]:
        """Every delivery, oldest first."""
        return self.hook.deliveries

    @property
    def events(self) -> asyncio.Queue[Change]:
        """What the App did, in order, to be taken one by one."""
        return self.world.changes

    def comments(self, repository: str, number: int) -> list[Comment]:
        """Return a thread's comments, oldest first."""
        return self.issue(repository, number).comments

    def issue(self, repository: str, number: int) -> Issue:
        """Return an issue or pull request."""
        return self.world.issue(self.world.project(repository), number)

    def pulls(self, repository: str) -> list[Issue]:
        """Return the pull requests, oldest first."""
        issues = self.world.project(repository).issues.values()
        return [issue for issue in issues if issue.pull is not None]

    async def diff(self, repository: str, number: int) -> str:
        """Return what a pull request changes, as a unified diff."""
        pull = self.issue(repository, number).pull
        if pull is None:
            message = f"#{number} is no pull request"
            raise ValueError(message)
        return await self.world.project(repository).git.diff(pull.base_sha, pull.head_sha)

    async def wait_for(self, predicate: Callable[[], bool], *, seconds: float = 30) -> None:
        """Wait until something that happened here makes the predicate true; raise TimeoutError."""
        async with asyncio.timeout(seconds), self.world.changed:
            await self.world.changed.wait_for(predicate)

    async def _deliver_comment(
        self, action: str, comment: Comment, *, sender: str, old_body: str | None = None
    ) -> Delivery:
        project = self.world.project(comment.repository)
        payload = self.hook.comment_payload(
            action,
            project,
            self.world.issue(project, comment.number),
            comment,
            sender=self.world.account(sender),
            old_body=old_body,
        )
        return await self.hook.deliver("issue_comment", payload)

    async def _echo(self, route: Route, call: Incoming, reply: Reply) -> None:
        """Deliver what the App asks for again, and its own comments too, as GitHub does."""
        match route.handler.__name__:
            case "redeliver":
                sending = self.hook.redeliver(call.number("delivery_id"))
            case "create_comment" | "update_comment" as name if self.hook.url:
                comment = self.world.comment(call.project, reply.data["id"])
                action = "created" if name == "create_comment" else "edited"
                old, sender = comment.earlier[-1:], call.actor.login
                sending = self._deliver_comment(
                    action, comment, sender=sender, old_body=old[0] if old else None
                )
            case _:
                return
        task = asyncio.create_task(sending)
        self._echoes.add(task)
        task.add_done_callback(self._echoes.discard)


def _listen(port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    return listener
