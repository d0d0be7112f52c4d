"""An issue, frozen."""

from __future__ import annotations

from pydantic import AwareDatetime

from bot.models.names import Frozen, Permission, Person, RepositoryName


class IssueComment(Frozen):
    """One comment under an issue as it was when the command was given."""

    id: int
    author: Person
    association: str
    permission: Permission | None = None
    body: str
    created_at: AwareDatetime
    updated_at: AwareDatetime


class IssueSnapshot(Frozen):
    """An issue frozen at the moment of the command: data, never part of a system prompt."""

    repository: RepositoryName
    number: int
    url: str
    title: str
    body: str
    author: Person
    association: str
    labels: tuple[str, ...] = ()
    state: str = "open"
    is_pull_request: bool = False
    created_at: AwareDatetime
    comments: tuple[IssueComment, ...] = ()
    frozen_at: AwareDatetime
    updated_at: AwareDatetime | None = None
    """When the issue last changed in any way: text, labels, a comment. Later than ``frozen_at``,
    its title and body may be newer than the command: GitHub's REST API does not say."""
