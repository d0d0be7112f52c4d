"""An issue as it was when the command was given, as far as GitHub can tell it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.github.answers import GHOST
from bot.models import IssueComment, IssueSnapshot, Permission

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from bot.github.answers import Comment
    from bot.github.repository import Repository

MAX_PEOPLE = 30
"""How many commenters' permissions are asked for; the others' stay unknown."""


async def take_snapshot(
    repository: Repository,
    number: int,
    *,
    frozen_at: datetime,
    command_comment_id: int | None,
    asks_permissions: bool = True,
) -> IssueSnapshot:
    """Return the issue with the comments before the command; raise GitHubError.

    Only who may write to the repository can be told what others may: without ``asks_permissions``
    GitHub's association of each commenter stands for it.
    A comment that was edited after ``frozen_at`` is left out whole: GitHub does not tell what it
    said before. The same holds for title and body, which is why ``updated_at`` goes with them.
    """
    issue = await repository.issue(number)
    comments = [
        comment
        for comment in await repository.comments(number)
        if _counts(comment, frozen_at=frozen_at, command_comment_id=command_comment_id)
    ]
    permissions = await _permissions(repository, comments) if asks_permissions else {}
    return IssueSnapshot(
        repository=repository.name,
        number=issue.number,
        url=issue.url,
        title=issue.title,
        body=issue.body,
        author=issue.author,
        association=issue.association,
        labels=issue.labels,
        state=issue.state,
        is_pull_request=issue.is_pull_request,
        created_at=issue.created_at,
        comments=tuple(
            IssueComment(
                id=comment.id,
                author=comment.author,
                association=comment.association,
                permission=permissions.get(comment.author.id),
                body=comment.body,
                created_at=comment.created_at,
                updated_at=comment.updated_at,
            )
            for comment in comments
        ),
        frozen_at=frozen_at,
        updated_at=issue.updated_at,
    )


def _counts(comment: Comment, *, frozen_at: datetime, command_comment_id: int | None) -> bool:
    """GitHub's times are whole seconds: within the command's own second, the id decides."""
    if command_comment_id is not None and comment.id >= command_comment_id:
        return False
    return comment.created_at <= frozen_at and comment.updated_at <= frozen_at


async def _permissions(
    repository: Repository, comments: Iterable[Comment]
) -> dict[int, Permission]:
    """Ask once for each person who commented, by account id."""
    known: dict[int, Permission] = {GHOST.id: Permission.NONE}
    asked = 0
    for comment in comments:
        author = comment.author
        if author.id in known:
            continue
        if comment.author_is_bot:
            known[author.id] = Permission.NONE
        elif asked < MAX_PEOPLE:
            asked += 1
            person, permission = await repository.permission(author.login)
            # A login can pass to somebody else after a renaming.
            known[author.id] = permission if person.id == author.id else Permission.NONE
    return known
