"""Who asks, where: the facts of one command in one comment."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from pydantic import AwareDatetime

from bot.commands import Help, Investigate, Mistake, NotYet
from bot.models import DeliveryId, Frozen, Permission, Person, RepositoryName

if TYPE_CHECKING:
    from bot.commands import Command
    from bot.github.webhook import IssueCommentCreated, IssueCommentEdited


class Asking(Frozen):
    """One command: its comment, its place in it, and the person who wrote it."""

    delivery_id: DeliveryId
    place: int
    repository: RepositoryName
    installation_id: int | None
    issue_number: int
    is_pull_request: bool
    issue_author: int
    comment_id: int
    comment_url: str | None
    asked_at: AwareDatetime
    person: Person

    @classmethod
    def of(
        cls,
        delivered: IssueCommentCreated | IssueCommentEdited,
        *,
        delivery_id: DeliveryId,
        place: int,
    ) -> Asking:
        """Take the facts from the delivery; who acts is its sender."""
        return cls(
            delivery_id=delivery_id,
            place=place,
            repository=delivered.repository,
            installation_id=delivered.installation_id,
            issue_number=delivered.issue.number,
            is_pull_request=delivered.issue.is_pull_request,
            issue_author=delivered.issue.author.id,
            comment_id=delivered.comment.id,
            comment_url=delivered.comment.url,
            asked_at=delivered.comment.created_at,
            person=delivered.sender.person,
        )

    @property
    def is_issue_author(self) -> bool:
        """Whether the person opened the issue."""
        return self.person.id == self.issue_author


def required(command: Command | Mistake | None) -> Permission:
    """Return what one must be allowed to do for a command, or for being answered about one."""
    match command:
        case Investigate():
            return Permission.WRITE
        case Help() | Mistake() | NotYet() | None:
            return Permission.TRIAGE
        case _:
            assert_never(command)
