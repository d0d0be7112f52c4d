"""Comments that are, or may have been, posted: a row before the request, by the hidden marker."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from bot.store import tables

if TYPE_CHECKING:
    from bot.models import RepositoryName
    from bot.store.database import Database

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
        return Claim(row.first_claimed_at, is_first=False, comment_id=row.comment_id, url=row.url)
    return Claim(now, is_first=True, comment_id=None, url=None)


def _posted(connection: sa.Connection, marker: str, comment_id: int, url: str) -> None:
    connection.execute(
        _TABLE.update().where(_TABLE.c.marker == marker).values(comment_id=comment_id, url=url)
    )
