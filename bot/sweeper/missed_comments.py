"""Comments of served repositories are read again, for the commands that no delivery brought.

A command that is found is recorded as if its comment had been delivered: who acts is the comment's
author, and everything else is asked as always. Commands are known by their comment, so one that was
delivered too, before, after or in the same moment, counts once.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from bot.commands import parse_comment
from bot.errors import GitHubError, GitHubRejected, PayloadError
from bot.github.comments import EVENT
from bot.github.hook import KEPT
from bot.intake.receiving import Receipt
from bot.models import DeliveryId

if TYPE_CHECKING:
    from bot.github import Comments, GitHub, ReadComment
    from bot.intake import Receiving
    from bot.models import RepositoryName
    from bot.settings import GitHubSettings
    from bot.store import Deliveries, Watermarks

COMMENT_FOUND = "comment_found"
COMMENTS_NOT_READ = "comments_not_read"

OVERLAP = timedelta(minutes=5)
"""Read again before the watermark: GitHub lists a comment some time after it was written."""
LONGEST = KEPT
"""Further back nothing is read: who asked that long ago has asked again, or does not wait."""
IN_ONE_PASS = 50
"""Repositories; with more of them, those that were not read for longest come first."""

_log = structlog.stdlib.get_logger(__name__)


class MissedComments:
    """The pass over the comments of every repository that is served and has the App."""

    def __init__(
        self,
        settings: GitHubSettings,
        github: GitHub,
        receiving: Receiving,
        deliveries: Deliveries,
        watermarks: Watermarks,
    ) -> None:
        """Hand what is found to ``receiving``, unless ``deliveries`` knows it."""
        self._settings = settings
        self._github = github
        self._receiving = receiving
        self._deliveries = deliveries
        self._watermarks = watermarks

    async def run(self) -> dict[str, int]:
        """Read every repository since it was read last; raise GitHubUnavailable.

        One that GitHub does not give is read by the next pass, and keeps no other back: it would
        be the first one each time.
        """
        served = await self._served()
        marks = await self._watermarks.read([_mark(name) for name in served])
        new = [name for name in served if _mark(name) not in marks]
        for name in new:
            await self._begin(name)
        known = sorted((name for name in served if name not in new), key=lambda n: marks[_mark(n)])
        found = read = 0
        for name in known:
            if read == IN_ONE_PASS:
                break
            try:
                comments = self._github.comments(name, served[name])
                found += await self._read(name, comments, marks[_mark(name)])
                read += 1
            except GitHubError as error:
                _log.warning(COMMENTS_NOT_READ, repository=str(name), reason=str(error))
        return {"new_repositories": len(new), "found": found}

    async def _served(self) -> dict[RepositoryName, int]:
        """Return the repositories that we serve, and through which installation."""
        served: dict[RepositoryName, int] = {}
        for installation in await self._github.installations():
            if self._may_serve(installation.owner):
                names = await self._github.installed_on(installation.id)
                ours = [name for name in names if self._settings.serves(str(name))]
                served |= dict.fromkeys(ours, installation.id)
        return served

    def _may_serve(self, owner: str) -> bool:
        owners = {entry.partition("/")[0].lower() for entry in self._settings.repositories}
        return owner.lower() in owners

    async def _begin(self, name: RepositoryName) -> None:
        """Read a repository from now on: what was said there before was not said to us."""
        now = datetime.now(UTC).replace(microsecond=0)
        await self._watermarks.move(_mark(name), now + OVERLAP)

    async def _read(self, name: RepositoryName, comments: Comments, mark: datetime) -> int:
        begun = datetime.now(UTC)
        found = 0
        async with aclosing(comments.since(max(mark - OVERLAP, begun - LONGEST))) as pages:
            async for page in pages:
                # Text of strangers: what reads it is linear, and may still take a while.
                for one in await asyncio.to_thread(_commands, page):
                    found += await self._receive(name, comments, one)
        await self._watermarks.move(_mark(name), begun)
        return found

    async def _receive(self, name: RepositoryName, comments: Comments, found: ReadComment) -> bool:
        delivery_id = DeliveryId(f"comment/{found.comment.id}")
        if await self._deliveries.knows_comment(name, found.comment.id, delivery_id=delivery_id):
            return False
        try:
            body = await comments.as_delivered(found)
            receipt = await self._receiving.receive(delivery_id, EVENT, body)
        except (GitHubRejected, PayloadError) as error:
            _log.warning(COMMENTS_NOT_READ, comment=found.comment.id, reason=str(error))
            return False
        _log.info(COMMENT_FOUND, comment=found.comment.id, receipt=receipt)
        return receipt is Receipt.ACCEPTED


def _mark(name: RepositoryName) -> str:
    return f"comments/{str(name).lower()}"


def _commands(page: list[ReadComment]) -> list[ReadComment]:
    """Return the comments in which a person gives a command."""
    return [
        one
        for one in page
        if one.is_as_written and one.comment.author.is_person and parse_comment(one.comment.body)
    ]
