"""The processes that share the work: who lives, and who was taken over.

Times are the database's own, so that hosts whose clocks differ agree on who was silent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from bot.store import tables

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from bot.store.database import Database

WORKING = "working"
LEFT = "left"
DEAD = "dead"

_TABLE = tables.workers


@dataclass(frozen=True, slots=True)
class WorkerRow:
    """One start of a process, as the others see it."""

    id: str
    host: str
    process: int
    state: str
    """working; left (it was told to stop); dead (another took it over). The last two are final."""
    taken_by: str | None


class Workers:
    """The book of workers; who left or was taken over never comes back under the same id.

    What is asked here passes the fence: it decides whether that opens.
    """

    def __init__(self, database: Database) -> None:
        """Work on this database."""
        self._database = database

    async def join(self, worker_id: str, *, host: str, process: int) -> None:
        """Write down a process that begins; its first heartbeat."""
        await self._database.call_unfenced(_join, worker_id, host, process)

    async def beat(self, worker_id: str) -> bool:
        """Say that a worker lives; False when it was taken over, which is for ever."""
        return await self._database.call_unfenced(_beat, worker_id)

    async def leave(self, worker_id: str) -> None:
        """Say that a worker has stopped: the others take over what it left, at once."""
        await self._database.call_unfenced(_leave, worker_id)

    async def take_over(self, silence: timedelta, *, by: str) -> list[str]:
        """Declare dead whoever was silent for longer; return those that this call declared.

        Of two that ask at once, one gets each.
        """
        return await self._database.call_unfenced(_take_over, silence.total_seconds(), by)

    async def gone(self) -> list[str]:
        """Return the ids of all that left or died, while they are remembered."""
        return await self._database.call_unfenced(_gone)

    async def forget(self, after: timedelta) -> None:
        """Forget those that have been gone for longer."""
        await self._database.call_unfenced(_forget, after.total_seconds())

    async def all(self) -> list[WorkerRow]:
        """Return everyone who is remembered, oldest first."""
        return await self._database.call_unfenced(_all)


def _now(connection: sa.Connection) -> sa.ColumnElement[float]:
    """Return the database's clock as it runs, also within a transaction."""
    if connection.dialect.name == "postgresql":
        return sa.cast(sa.extract("epoch", sa.func.clock_timestamp()), sa.Double)
    return (sa.func.julianday("now") - 2440587.5) * 86400.0


def _join(connection: sa.Connection, worker_id: str, host: str, process: int) -> None:
    now = _now(connection)
    connection.execute(
        _TABLE.insert().values(
            id=worker_id,
            host=host[:255],
            process=process,
            state=WORKING,
            started_at=now,
            beat_at=now,
        )
    )


def _beat(connection: sa.Connection, worker_id: str) -> bool:
    done = connection.execute(
        _TABLE.update()
        .where(_TABLE.c.id == worker_id, _TABLE.c.state == WORKING)
        .values(beat_at=_now(connection))
    )
    return done.rowcount > 0


def _leave(connection: sa.Connection, worker_id: str) -> None:
    connection.execute(
        _TABLE.update()
        .where(_TABLE.c.id == worker_id, _TABLE.c.state == WORKING)
        .values(state=LEFT, ended_at=_now(connection))
    )


def _take_over(connection: sa.Connection, seconds: float, by: str) -> list[str]:
    now = _now(connection)
    silent = (_TABLE.c.state == WORKING) & (_TABLE.c.beat_at < now - seconds) & (_TABLE.c.id != by)
    taken: list[str] = []
    for worker_id in _ids(connection, silent):
        # Asked again with the row locked: it may have said something, or another was first.
        done = connection.execute(
            _TABLE.update()
            .where(_TABLE.c.id == worker_id, silent)
            .values(state=DEAD, ended_at=now, taken_by=by)
        )
        if done.rowcount:
            taken.append(worker_id)
    return taken


def _gone(connection: sa.Connection) -> list[str]:
    return _ids(connection, _TABLE.c.state != WORKING)


def _forget(connection: sa.Connection, seconds: float) -> None:
    long_ago = _TABLE.c.ended_at < _now(connection) - seconds
    connection.execute(_TABLE.delete().where(_TABLE.c.state != WORKING, long_ago))


def _all(connection: sa.Connection) -> list[WorkerRow]:
    rows = connection.execute(sa.select(_TABLE).order_by(_TABLE.c.started_at))
    return [WorkerRow(row.id, row.host, row.process, row.state, row.taken_by) for row in rows]


def _ids(connection: sa.Connection, which: sa.ColumnElement[bool]) -> list[str]:
    found: Sequence[str] = connection.scalars(
        sa.select(_TABLE.c.id).where(which).order_by(_TABLE.c.id)
    ).all()
    return list(found)
