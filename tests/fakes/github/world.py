"""The fake GitHub's memory, and everything that can happen to it."""

from __future__ import annotations

import asyncio
import itertools
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tests.fakes.github.apps import App, Installation
from tests.fakes.github.memory import (
    Account,
    Change,
    Comment,
    Issue,
    Label,
    Project,
    Pull,
    Reaction,
    Role,
)
from tests.fakes.github.replies import Refused, invalid
from tests.fakes.github.shapes import Shapes
from tests.fakes.github.thread_shapes import ThreadShapes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.fakes.github.deliveries import Delivery
    from tests.fakes.github.git import BareRepository
    from tests.fakes.github.memory import ChangeKind

MAX_BODY = 65_536
"""Characters of a comment, an issue or a pull request."""
MAX_BODY_BYTES = 262_144
MAX_TITLE = 256

INSTALLATION_PERMISSIONS = {
    "contents": "write",
    "issues": "write",
    "metadata": "read",
    "pull_requests": "write",
}


class World:
    """What exists, and the clock."""

    def __init__(
        self, *, site: str, api: str, app_slug: str, clock: Callable[[], datetime] | None
    ) -> None:
        """Start with the App and nobody else."""
        self._clock = clock or (lambda: datetime.now(UTC))
        self._ids = itertools.count(2_000_001)
        self.accounts: dict[str, Account] = {}
        self.projects: dict[str, Project] = {}
        self.personal: dict[str, Account] = {}
        """Whose each person's own token is."""
        self.deliveries: list[Delivery] = []
        self.app = App(
            id=1_234_567,
            slug=app_slug,
            name=app_slug,
            owner=self.account(f"{app_slug}-owner", kind="Organization"),
            bot=self.account(f"{app_slug}[bot]", kind="Bot"),
            created_at=self.now(),
            permissions=INSTALLATION_PERMISSIONS,
        )
        self.shapes = Shapes(site=site, api=api)
        self.threads = ThreadShapes(self.shapes, self.app)
        self.changes: asyncio.Queue[Change] = asyncio.Queue()
        self.changed = asyncio.Condition()

    def now(self) -> datetime:
        """Return the time, in GitHub's whole seconds."""
        return self._clock().replace(microsecond=0)

    def next_id(self) -> int:
        """Return an id that nothing has."""
        return next(self._ids)

    async def notify(self, change: Change | None = None) -> None:
        """Wake who waits for a change."""
        if change is not None:
            self.changes.put_nowait(change)
        async with self.changed:
            self.changed.notify_all()

    # People and repositories

    def account(self, login: str, *, kind: str = "User") -> Account:
        """Return the account of this login, made when it is new."""
        known = self.accounts.get(login.lower())
        if known is None:
            known = Account(login, self.next_id(), kind)  # pyright: ignore[reportArgumentType] -- of the three
            self.accounts[login.lower()] = known
        return known

    def project(self, full_name: str) -> Project:
        """Return a repository; raise Refused (404) when there is none."""
        project = self.projects.get(full_name.lower())
        if project is None:
            raise Refused(404, "Not Found")
        return project

    def add_project(
        self,
        full_name: str,
        git: BareRepository,
        *,
        default_branch: str,
        collaborators: Mapping[str, str | tuple[str, str]],
        installed: bool,
        private: bool,
    ) -> Project:
        """Make a repository."""
        owner_login, _, name = full_name.partition("/")
        owner = self.account(owner_login, kind="Organization")
        project = Project(
            id=self.next_id(),
            owner=owner,
            name=name,
            git=git,
            installation_id=self._installation(owner).id if installed else None,
            default_branch=default_branch,
            created_at=self.now(),
            private=private,
        )
        for login, role in collaborators.items():
            self.account(login)
            named, base = (role, role) if isinstance(role, str) else role
            project.roles[login.lower()] = Role(named, base)
        self.projects[full_name.lower()] = project
        return project

    def _installation(self, owner: Account) -> Installation:
        for installation in self.app.installations.values():
            if installation.account is owner:
                return installation
        made = Installation(self.next_id(), owner, dict(INSTALLATION_PERMISSIONS))
        self.app.installations[made.id] = made
        return made

    # Threads

    def issue(self, project: Project, number: int) -> Issue:
        """Return a thread; raise Refused (404)."""
        issue = project.issues.get(number)
        if issue is None:
            raise Refused(404, "Not Found")
        return issue

    def add_issue(
        self,
        project: Project,
        *,
        title: str,
        body: str | None,
        author: Account,
        number: int | None = None,
        pull: Pull | None = None,
    ) -> Issue:
        """Open an issue, or a pull request; raise Refused (422) when a text is too long."""
        kind, page = ("PullRequest", "pull") if pull else ("Issue", "issues")
        _check_title(kind, title)
        if body is not None:
            _check_body(kind, body)
        chosen = number or max(project.issues, default=0) + 1
        now = self.now()
        issue = Issue(
            id=self.next_id(),
            repository=project.full_name,
            number=chosen,
            title=title,
            body=body,
            author=author,
            created_at=now,
            updated_at=now,
            url=f"{self.shapes.site}/{project.full_name}/{page}/{chosen}",
            association=project.association(author),
            via_app=author is self.app.bot,
            pull=pull,
        )
        project.issues[chosen] = issue
        return issue

    def rewrite(self, issue: Issue, *, title: str | None, body: str | None) -> None:
        """Change a thread's title and text; raise Refused (422) when one is too long."""
        kind = "PullRequest" if issue.pull else "Issue"
        if title is not None:
            _check_title(kind, title)
            issue.title = title
        if body is not None:
            _check_body(kind, body)
            issue.body = body
        issue.updated_at = self.now()

    def add_comment(self, project: Project, number: int, *, author: Account, body: str) -> Comment:
        """Write a comment; raise Refused when there is no thread or the text is too long."""
        issue = self.issue(project, number)
        _check_comment(body)
        now, new_id = self.now(), self.next_id()
        comment = Comment(
            id=new_id,
            repository=project.full_name,
            number=number,
            author=author,
            body=body,
            created_at=now,
            updated_at=now,
            url=f"{issue.url}#issuecomment-{new_id}",
            association=project.association(author),
            via_app=author is self.app.bot,
        )
        issue.comments.append(comment)
        issue.updated_at = now
        return comment

    def comment(self, project: Project, comment_id: int) -> Comment:
        """Return a comment; raise Refused (404)."""
        for issue in project.issues.values():
            for comment in issue.comments:
                if comment.id == comment_id:
                    return comment
        raise Refused(404, "Not Found")

    def edit_comment(self, comment: Comment, body: str) -> None:
        """Change a comment's text; raise Refused (422) when it is too long."""
        _check_comment(body)
        comment.earlier.append(comment.body)
        comment.body = body
        comment.updated_at = self.now()

    def label(self, project: Project, name: str) -> Label:
        """Return a label of the repository, made when it is new; names count in any case."""
        key = name.lower()
        if key not in project.labels:
            project.labels[key] = Label(self.next_id(), name, "ededed")
        return project.labels[key]

    def react(
        self, reactions: list[Reaction], content: str, account: Account
    ) -> tuple[Reaction, bool]:
        """Return the account's reaction of this kind, and whether it is new."""
        for reaction in reactions:
            if reaction.account is account and reaction.content == content:
                return reaction, False
        made = Reaction(self.next_id(), content, account, self.now())
        reactions.append(made)
        return made, True

    async def tell(
        self,
        kind: ChangeKind,
        project: Project,
        *,
        text: str,
        number: int | None = None,
        comment_id: int | None = None,
    ) -> None:
        """Put what the App did among the changes."""
        await self.notify(Change(kind, project.full_name, number, comment_id, text))


def _check_title(kind: str, title: str) -> None:
    if not title.strip():
        raise invalid(kind, "title", "title can't be blank")
    if len(title) > MAX_TITLE:
        raise invalid(kind, "title", f"title is too long (maximum is {MAX_TITLE} characters)")


def _check_comment(body: str) -> None:
    if not body.strip():
        raise invalid("IssueComment", "body", "body can't be blank")
    _check_body("IssueComment", body)


def _check_body(kind: str, body: str) -> None:
    if len(body) > MAX_BODY or len(body.encode()) > MAX_BODY_BYTES:
        raise invalid(kind, "body", f"body is too long (maximum is {MAX_BODY} characters)")
