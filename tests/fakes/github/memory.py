"""What the fake GitHub remembers: accounts, repositories, threads, pull requests."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import datetime

    from tests.fakes.github.git import BareRepository

STANDARD_ROLES = ("none", "read", "triage", "write", "maintain", "admin")
LEGACY_PERMISSION = {"triage": "read", "maintain": "write"}
"""GitHub's ``permission`` knows four levels only: what the other two are told as."""


@dataclass(slots=True, eq=False)
class Account:
    """A person, a bot or an organization."""

    login: str
    id: int
    type: Literal["User", "Bot", "Organization"] = "User"


@dataclass(frozen=True, slots=True)
class Role:
    """What a collaborator may do; ``name`` is the organization's own where it made one up."""

    name: str
    base: str

    @property
    def permission(self) -> str:
        """GitHub's older, coarser word for it."""
        return LEGACY_PERMISSION.get(self.base, self.base)


@dataclass(slots=True, eq=False)
class Reaction:
    """One person's reaction to a comment or issue."""

    id: int
    content: str
    account: Account
    created_at: datetime


@dataclass(slots=True, eq=False)
class Label:
    """A label of a repository."""

    id: int
    name: str
    color: str
    description: str | None = None


@dataclass(slots=True, eq=False)
class Comment:
    """A comment in a thread."""

    id: int
    repository: str
    number: int
    author: Account | None
    """None once the account is deleted."""
    body: str
    created_at: datetime
    updated_at: datetime
    url: str
    association: str = "NONE"
    via_app: bool = False
    """Whether our App wrote it."""
    reactions: list[Reaction] = field(default_factory=list[Reaction])
    earlier: list[str] = field(default_factory=list[str])
    """What it said before each edit, oldest first."""
    is_minimized: bool = False
    """Whether it is hidden as outdated."""


@dataclass(slots=True, eq=False)
class Pull:
    """What a pull request has beyond its thread."""

    id: int
    head: str
    base: str
    base_sha: str
    """Where the base branch was when it was opened."""
    draft: bool
    head_sha: str
    merged: bool = False


@dataclass(slots=True, eq=False)
class Issue:
    """A thread: an issue, or a pull request where ``pull`` is set."""

    id: int
    repository: str
    number: int
    title: str
    body: str | None
    author: Account | None
    created_at: datetime
    updated_at: datetime
    url: str
    association: str = "NONE"
    state: Literal["open", "closed"] = "open"
    via_app: bool = False
    labels: list[Label] = field(default_factory=list[Label])
    comments: list[Comment] = field(default_factory=list[Comment])
    reactions: list[Reaction] = field(default_factory=list[Reaction])
    pull: Pull | None = None


@dataclass(slots=True, eq=False)
class Project:
    """A repository: its people, its threads, its git."""

    id: int
    owner: Account
    name: str
    git: BareRepository
    installation_id: int | None
    default_branch: str
    created_at: datetime
    private: bool = False
    roles: dict[str, Role] = field(default_factory=dict[str, Role])
    """By login, in lower case."""
    labels: dict[str, Label] = field(default_factory=dict[str, Label])
    issues: dict[int, Issue] = field(default_factory=dict[int, Issue])
    """By number; pull requests are among them."""

    @property
    def full_name(self) -> str:
        """``owner/name``."""
        return f"{self.owner.login}/{self.name}"

    def role(self, account: Account) -> Role:
        """What an account may do here."""
        everybody = Role("none", "none") if self.private else Role("read", "read")
        return self.roles.get(account.login.lower(), everybody)

    def association(self, account: Account) -> str:
        """GitHub's word for how an author belongs to a repository."""
        if account.login == self.owner.login:
            return "OWNER"
        return "MEMBER" if account.login.lower() in self.roles else "NONE"


ChangeKind = Literal[
    "comment",
    "comment_edited",
    "comment_minimized",
    "comment_reaction",
    "issue_reaction",
    "label_added",
    "label_removed",
    "branch",
    "pull",
    "pull_edited",
]


@dataclass(frozen=True, slots=True)
class Change:
    """Something that the App did, in the words of who reads the thread."""

    kind: ChangeKind
    repository: str
    number: int | None
    """Of the issue or pull request; None for a branch."""
    id: int | None
    """Of the comment, where there is one."""
    text: str
    """The comment's or pull request's text as of then, the reaction, the label, the branch."""
