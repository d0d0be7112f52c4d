"""A comment is posted once, whoever tries: GitHub itself has no compare-and-set for it.

Before the request stands a row, which says where the comment is, or since when it may be there.
Everybody looks before posting, and again after it: of several comments with one marker the oldest
stays, and whoever sees the others deletes them. Two that post at once both do that, so one remains.

A process may die with its request on the way, which then arrives when nobody looks any more. So a
comment that more than one has claimed is looked at again by a sweep, for a day, ever more rarely.
"""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from bot import render
from bot.models import RepositoryName

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bot.github import Comment, GitHub, Repository
    from bot.store import Contested, PostedComments

COMMENT_FOUND = "comment_found"
COMMENT_TAKEN_BACK = "comment_taken_back"

_SKEW = timedelta(minutes=10)
"""How far our clock and GitHub's may differ."""
_log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Posted:
    """A comment of ours."""

    id: int
    url: str


class Posting:
    """Posts comments."""

    def __init__(self, github: GitHub, comments: PostedComments) -> None:
        """Post on this GitHub; the rows are in these comments."""
        self._github = github
        self._comments = comments
        self._by = f"{socket.gethostname()[:100]}/{os.getpid()}"

    async def once(
        self, repository: Repository, number: int, marker: render.Marker, text: str
    ) -> Posted:
        """Post a text that begins with its marker under an issue, or return what was posted.

        Raise GitHubError.
        """
        claim = await self._comments.claim(
            marker, repository=repository.name, number=number, by=self._by
        )
        if claim.comment_id is not None:
            return Posted(claim.comment_id, claim.url or "")
        # Without a row too: the database may be an older one, from a backup.
        since = None if claim.is_first else claim.since - _SKEW
        comment = await self._oldest(repository, number, marker, since=since)
        if comment is None:
            made = await repository.comment(number, text)
            # GitHub's list may not hold it yet.
            since = claim.since - _SKEW
            comment = await self._oldest(repository, number, marker, since=since) or made
        else:
            _log.info(COMMENT_FOUND, comment=comment.id)
        await self._comments.posted(marker, comment_id=comment.id, url=comment.url)
        return Posted(comment.id, comment.url)

    async def look_again(self, contested: Contested) -> int:
        """Delete what arrived late; return how many comments that were. Raise GitHubError."""
        name = RepositoryName.parse(contested.repository)
        repository = self._github.repository(name, await self._github.installation_id(name))
        marker, since = render.Marker(contested.marker), contested.since - _SKEW
        ours = await self._ours(repository, contested.number, marker, since=since)
        known = contested.comment_id
        kept = next((comment for comment in ours if comment.id == known), None)
        if kept is None and ours:
            # The one that counted is gone: of two that did not see each other's, one deleted it.
            kept = ours[0]
            if known is not None:
                await self._comments.replaced(marker, old=known, new=kept.id, url=kept.url)
        return await self._take_back(repository, ours, kept)

    async def _oldest(
        self, repository: Repository, number: int, marker: render.Marker, *, since: datetime | None
    ) -> Comment | None:
        """Return the first of ours with the marker, and delete the others."""
        ours = await self._ours(repository, number, marker, since=since)
        oldest = ours[0] if ours else None
        await self._take_back(repository, ours, oldest)
        return oldest

    async def _ours(
        self, repository: Repository, number: int, marker: render.Marker, *, since: datetime | None
    ) -> list[Comment]:
        """Return our comments with the marker, the oldest first."""
        app = await self._github.app()
        ours = [
            comment
            for comment in await repository.comments(number, since=since)
            if comment.app_id == app.id
            and comment.author_is_bot
            and render.carries(comment.body, marker)
        ]
        return sorted(ours, key=lambda comment: comment.id)

    async def _take_back(
        self, repository: Repository, ours: Sequence[Comment], kept: Comment | None
    ) -> int:
        others = [comment for comment in ours if comment is not kept]
        for comment in others:
            await repository.delete_comment(comment.id)
            _log.warning(COMMENT_TAKEN_BACK, comment=comment.id, kept=kept and kept.id)
        return len(others)
