"""The documents of a job: the frozen issue, and what the agent left, for any process to read."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa

from bot.store import tables

if TYPE_CHECKING:
    from bot.models import JobId
    from bot.store.database import Database

_TABLE = tables.documents


class Documents:
    """Texts by job, run and name; each is written whole."""

    def __init__(self, database: Database) -> None:
        """Work on this database."""
        self._database = database

    async def keep(self, job_id: JobId, run: int, name: str, text: str) -> None:
        """Write a document unless it is there: the first writing stays."""
        await self._database.call(keep, job_id, run, name, text)

    async def put(self, job_id: JobId, run: int, name: str, text: str) -> None:
        """Write a document over what was there."""
        await self._database.call(_put, job_id, run, name, text)

    async def read(self, job_id: JobId, run: int, name: str) -> str | None:
        """Return a document, or None."""
        return await self._database.call(_read, job_id, run, name)

    async def read_all(self, job_id: JobId, run: int) -> dict[str, str]:
        """Return every document of a run by its name."""
        return await self._database.call(_read_all, job_id, run)


def _key(job_id: JobId, run: int, name: str) -> sa.ColumnElement[bool]:
    return (_TABLE.c.job_id == job_id) & (_TABLE.c.run == run) & (_TABLE.c.name == name)


def keep(connection: sa.Connection, job_id: JobId, run: int, name: str, text: str) -> None:
    """Write a document unless it is there, in the caller's own transaction."""
    if _read(connection, job_id, run, name) is not None:
        return
    connection.execute(
        _TABLE.insert().values(
            job_id=job_id,
            run=run,
            name=name,
            # Postgres keeps every character but this one.
            text=text.replace("\0", "\N{REPLACEMENT CHARACTER}"),
            created_at=datetime.now(UTC),
        )
    )


def _put(connection: sa.Connection, job_id: JobId, run: int, name: str, text: str) -> None:
    connection.execute(_TABLE.delete().where(_key(job_id, run, name)))
    keep(connection, job_id, run, name, text)


def _read(connection: sa.Connection, job_id: JobId, run: int, name: str) -> str | None:
    return connection.execute(
        sa.select(_TABLE.c.text).where(_key(job_id, run, name))
    ).scalar_one_or_none()


def _read_all(connection: sa.Connection, job_id: JobId, run: int) -> dict[str, str]:
    rows = connection.execute(
        sa.select(_TABLE.c.name, _TABLE.c.text).where(
            _TABLE.c.job_id == job_id, _TABLE.c.run == run
        )
    )
    return {row.name: row.text for row in rows}
