"""Comments that are, or may have been, posted: a row before the request, by the hidden marker."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from bot.store import tables

if TYPE_CHECKING:
    from bot.models import RepositoryName
    from bot.store.database import Database

FIRST_LOOK = timedelta(minutes=1)
"""After a second one claimed a comment: a request of the first may still arrive."""
LAST_LOOK = timedelta(days=1)
_LONGER = 4
"""Each look is so many times as late as the one before: seven of them in all."""

_TABLE = tables.comments


@dataclass(frozen=True, slots=True)
class Claim:
    """What is known of a comment when somebody is about to post it."""

    since: datetime
    """When somebody first was: it cannot be older."""
    is_first: bool
    """Whether nobody was before, so that it is not there."""
    comment_id: int | None
    """Where it is, once that is known."""
    url: str | None


@dataclass(frozen=True, slots=True)
class Contested:
    """A comment that more than one has tried to post: there may be two of it."""

    marker: str
    repository: str
    number: int
    since: datetime
    """When somebody first was about to post it."""
    comment_id: int | None
    """The one that counts."""


class PostedComments:
    """The book of comments."""

    def __init__(self, database: Database) -> None:
        """Work on this database."""
        self._database = database

    async def claim(
        self, marker: str, *, repository: RepositoryName, number: int, by: str
    ) -> Claim:
        """Write down who is about to post the comment of this marker; return what is known."""
        return await self._database.call(_claim, marker, str(repository), number, by)

    async def posted(self, marker: str, *, comment_id: int, url: str) -> None:
        """Write down where it is."""
        await self._database.call(_posted, marker, comment_id, url)

    async def contested(self, *, limit: int) -> list[Contested]:
        """Return those that are to be looked at again by now."""
        return await self._database.call(_contested, limit)

    async def looked(self, marker: str, *, finally_: bool = False) -> None:
        """Look again later, and ever more rarely; no more when that was the last look."""
        await self._database.call(_looked, marker, finally_)

    async def replaced(self, marker: str, *, old: int, new: int, url: str) -> None:
        """Write down that another comment counts; whoever knew the old one knows it, too."""
        await self._database.call(_replaced, marker, old, new, url)


def _claim(connection: sa.Connection, marker: str, repository: str, number: int, by: str) -> Claim:
    now = datetime.now(UTC)
    values = {
        "marker": marker,
        "repository": repository,
        "issue_number": number,
        "first_claimed_at": now,
        "claimed_at": now,
        "claimed_by": by,
    }
    try:
        with connection.begin_nested():
            connection.execute(_TABLE.insert().values(**values))
    except IntegrityError:
        connection.execute(
            _TABLE.update().where(_TABLE.c.marker == marker).values(claimed_at=now, claimed_by=by)
        )
        row = connection.execute(sa.select(_TABLE).where(_TABLE.c.marker == marker)).one()
        if row.comment_id is None:
            # Whoever was about to post it may be frozen, or gone with its request on the way.
            later = _TABLE.update().where(_TABLE.c.marker == marker)
            connection.execute(later.values(look_at=now + FIRST_LOOK))
        return Claim(row.first_claimed_at, is_first=False, comment_id=row.comment_id, url=row.url)
    return Claim(now, is_first=True, comment_id=None, url=None)


def _posted(connection: sa.Connection, marker: str, comment_id: int, url: str) -> None:
    connection.execute(
        _TABLE.update().where(_TABLE.c.marker == marker).values(comment_id=comment_id, url=url)
    )


def _contested(connection: sa.Connection, limit: int) -> list[Contested]:
    rows = connection.execute(
        sa.select(_TABLE)
        .where(_TABLE.c.look_at <= datetime.now(UTC))
        .order_by(_TABLE.c.look_at)
        .limit(limit)
    )
    return [
        Contested(
            row.marker, row.repository, row.issue_number, row.first_claimed_at, row.comment_id
        )
        for row in rows
    ]


def _looked(connection: sa.Connection, marker: str, is_last: bool) -> None:  # noqa: FBT001 -- as call hands it on
    this = _TABLE.c.marker == marker
    claimed_at = connection.scalar(sa.select(_TABLE.c.claimed_at).where(this))
    if claimed_at is None:
        return
    after = max(datetime.now(UTC) - claimed_at, FIRST_LOOK)
    next_look = None if is_last or after > LAST_LOOK else claimed_at + _LONGER * after
    connection.execute(_TABLE.update().where(this).values(look_at=next_look))


def _replaced(connection: sa.Connection, marker: str, old: int, new: int, url: str) -> None:
    _posted(connection, marker, new, url)
    jobs = tables.jobs
    for comment_id, its_url in (
        (jobs.c.progress_comment_id, jobs.c.progress_comment_url),
        (jobs.c.closing_comment_id, jobs.c.closing_comment_url),
    ):
        values = {comment_id.name: new, its_url.name: url}
        connection.execute(jobs.update().where(comment_id == old).values(values))
