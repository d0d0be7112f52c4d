"""For how long steps have waited by now for what does not answer; a restart takes nothing off."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from bot.store import tables

if TYPE_CHECKING:
    from bot.store.database import Database

_TABLE = tables.outages


class Outages:
    """The book of outages, by step."""

    def __init__(self, database: Database) -> None:
        """Work on this database."""
        self._database = database

    async def spent(self, step: str) -> float:
        """Return for how many seconds a step has waited; 0 for one that is not known."""
        return await self._database.call(_spent, step)

    async def spend(self, step: str, seconds: float) -> None:
        """Write down for how many it has waited in all."""
        await self._database.call(_spend, step, seconds)

    async def forget(self, step: str) -> None:
        """Forget it: the step has ended, or what was away has answered."""
        await self._database.call(_forget, step)


def _spent(connection: sa.Connection, step: str) -> float:
    return connection.scalar(sa.select(_TABLE.c.seconds).where(_TABLE.c.step == step)) or 0.0


def _spend(connection: sa.Connection, step: str, seconds: float) -> None:
    values = {"seconds": seconds, "updated_at": datetime.now(UTC)}
    change = _TABLE.update().where(_TABLE.c.step == step).values(**values)
    if connection.execute(change).rowcount:
        return
    try:
        with connection.begin_nested():
            connection.execute(_TABLE.insert().values(step=step, **values))
    except IntegrityError:
        connection.execute(change)


def _forget(connection: sa.Connection, step: str) -> None:
    connection.execute(_TABLE.delete().where(_TABLE.c.step == step))
