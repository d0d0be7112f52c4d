"""Who asks, where: the facts of one command, in a comment or by a label."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from pydantic import AwareDatetime

from bot.commands import (
    Clean,
    Extend,
    Help,
    Investigate,
    Kill,
    ListJobs,
    Mistake,
    Peek,
    Publish,
    Rerun,
    Results,
    Run,
    Status,
)
from bot.models import DeliveryId, Frozen, Person, RepositoryName

if TYPE_CHECKING:
    from bot.commands import Command
    from bot.github.webhook import IssueCommentCreated, IssueCommentEdited, IssueLabeled


class Asking(Frozen):
    """One command: its comment and its place in it, or its label, and the person who gave it."""

    delivery_id: DeliveryId
    place: int
    repository: RepositoryName
    installation_id: int | None
    issue_number: int
    is_pull_request: bool
    issue_author: int
    comment_id: int | None
    """None for a label's command."""
    comment_url: str | None
    label: str | None = None
    """The label that gave the command."""
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

    @classmethod
    def of_label(cls, delivered: IssueLabeled, *, delivery_id: DeliveryId) -> Asking:
        """Take the facts from the delivery; who put the label on is who asks."""
        return cls(
            delivery_id=delivery_id,
            place=0,
            repository=delivered.repository,
            installation_id=delivered.installation_id,
            issue_number=delivered.issue.number,
            is_pull_request=delivered.issue.is_pull_request,
            issue_author=delivered.issue.author.id,
            comment_id=None,
            comment_url=None,
            label=delivered.label,
            asked_at=delivered.labeled_at,
            person=delivered.sender.person,
        )

    @property
    def is_issue_author(self) -> bool:
        """Whether the person opened the issue."""
        return self.person.id == self.issue_author


def changes_a_job(command: Command | Mistake | None) -> bool:
    """Whether a command costs a GPU or changes a job; None stands for one not carried out."""
    match command:
        case Investigate() | Run() | Rerun() | Publish() | Kill() | Extend() | Clean():
            return True
        case Status() | Peek() | Results() | ListJobs() | Help() | Mistake() | None:
            return False
        case _:
            assert_never(command)
