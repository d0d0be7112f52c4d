"""How far what is read in passes was read, and whose turn the next pass is."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from bot.store import tables

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from bot.store.database import Database

_MARKS = tables.watermarks
_TURNS = tables.turns


class Watermarks:
    """Times up to which everything was handled, by name."""

    def __init__(self, database: Database) -> None:
        """Work on this database."""
        self._database = database

    async def read(self, names: Sequence[str]) -> dict[str, datetime]:
        """Return the watermarks of these names; one that was never set is missing."""
        return await self._database.call(_read, names)

    async def move(self, name: str, at: datetime) -> None:
        """Set a watermark, and never back."""
        await self._database.call(_move, name, at)


class Turns:
    """Which of many processes does a pass: whoever comes first when it is due.

    A process that dies in its turn keeps nobody from the next one.
    """

    def __init__(self, database: Database) -> None:
        """Work on this database."""
        self._database = database

    async def take(self, name: str, *, every: timedelta, now: bool = False) -> bool:
        """Take the turn if the pass is due, or in any case ``now``; the next is ``every`` later."""
        return await self._database.call(_take, name, every, now=now)


def _read(connection: sa.Connection, names: Sequence[str]) -> dict[str, datetime]:
    rows = connection.execute(sa.select(_MARKS).where(_MARKS.c.name.in_(names)))
    return {row.name: row.at for row in rows}


def _move(connection: sa.Connection, name: str, at: datetime) -> None:
    done = connection.execute(
        _MARKS.update().where(_MARKS.c.name == name, _MARKS.c.at < at).values(at=at)
    )
    if done.rowcount == 0:
        _insert(connection, _MARKS.insert().values(name=name, at=at))


def _take(connection: sa.Connection, name: str, every: timedelta, *, now: bool) -> bool:
    moment = datetime.now(UTC)
    due = moment + every
    # One that is due later than a whole interval was set by a clock that goes wrong.
    is_due = (_TURNS.c.due_at <= moment) | (_TURNS.c.due_at > due)
    done = connection.execute(
        _TURNS.update()
        .where(_TURNS.c.name == name, sa.true() if now else is_due)
        .values(due_at=due)
    )
    return done.rowcount > 0 or _insert(connection, _TURNS.insert().values(name=name, due_at=due))


def _insert(connection: sa.Connection, statement: sa.Insert) -> bool:
    """Insert a row; False when it is there."""
    try:
        with connection.begin_nested():
            connection.execute(statement)
    except IntegrityError:
        return False
    return True
