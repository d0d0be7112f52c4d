"""Comments of a repository, read again and told as GitHub would have delivered them.

https://docs.github.com/rest/issues/comments#list-issue-comments-for-a-repository.
"""

from __future__ import annotations

import json
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from bot.errors import GitHubUnavailable
from bot.github.answers import read
from bot.github.calls import PER_PAGE, Call
from bot.github.webhook import CommentRef

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from bot.github.calls import Bearer, Calls
    from bot.models import RepositoryName

EVENT = "issue_comment"

_AT_ONCE = timedelta(seconds=2)
"""GitHub may write a comment's two times one after the other."""


@dataclass(frozen=True, slots=True)
class ReadComment:
    """A comment as it is now."""

    comment: CommentRef
    answer: dict[str, Any]
    """GitHub's whole answer."""

    @property
    def is_as_written(self) -> bool:
        """Whether nobody edited it since: of one that was, nobody knows what it said at first."""
        return self.comment.updated_at - self.comment.created_at <= _AT_ONCE


class Comments:
    """The comments of one repository. Every method raises GitHubError."""

    def __init__(
        self, name: RepositoryName, installation_id: int, calls: Calls, bearer: Bearer
    ) -> None:
        """Speak as ``bearer``, who is this installation."""
        self._name = name
        self._installation_id = installation_id
        self._calls = calls
        self._bearer = bearer

    async def since(self, moment: datetime) -> AsyncGenerator[list[ReadComment]]:
        """Give the comments that were written or edited since, in pages, oldest change first."""
        call = Call(
            method="GET",
            url="/repos/{owner}/{repo}/issues/comments"
            f"?per_page={PER_PAGE}&sort=updated&direction=asc{{&since}}",
            fields={**self._place, "since": f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"},
            bearer=self._bearer,
        )
        async with aclosing(self._calls.walk(call)) as pages:
            async for page in pages:
                yield [ReadComment(read(CommentRef, answer), answer) for answer in page]

    async def as_delivered(self, found: ReadComment) -> bytes:
        """Return what GitHub delivers when such a comment is written (``issue_comment``)."""
        number = str(found.answer.get("issue_url", "")).rpartition("/")[2]
        if not number.isdecimal():
            message = "GitHub's answer does not say whose comment it is"
            raise GitHubUnavailable(message)
        call = Call(
            method="GET",
            url="/repos/{owner}/{repo}/issues/{number}",
            fields={**self._place, "number": int(number)},
            bearer=self._bearer,
        )
        payload = {
            "action": "created",
            "issue": await self._calls.send(call),
            "comment": found.answer,
            "sender": found.answer["user"],
            "repository": {"full_name": str(self._name)},
            "installation": {"id": self._installation_id},
        }
        return json.dumps(payload).encode()

    @property
    def _place(self) -> dict[str, str | int]:
        return {"owner": self._name.owner, "repo": self._name.name}
