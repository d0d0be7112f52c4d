"""What is old enough to be forgotten, deleted in small transactions that nobody waits long for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from bot.store import tables

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from bot.store.database import Database

BATCH = 200
"""Rows of one transaction."""

_PAGES = 1000
"""Of SQLite's file, given back in one go: 4 MB."""
_HELD_BY = tuple(
    (table, column)
    for table in reversed(tables.metadata.sorted_tables)
    for column in table.columns
    if any(key.column.table is tables.jobs for key in column.foreign_keys)
)
"""Where rows belong to a job, and go with it."""


class Pruning:
    """Deletes what is older than a moment; each method returns how many rows that were."""

    def __init__(self, database: Database) -> None:
        """Work on this database."""
        self._database = database

    async def deliveries(self, *, ignored_before: datetime, handled_before: datetime) -> int:
        """Delete deliveries without a command, and those whose commands were handled."""
        table = tables.deliveries
        old = ((table.c.state == "ignored") & (table.c.received_at < ignored_before)) | (
            table.c.state.in_(["handled", "failed"]) & (table.c.received_at < handled_before)
        )
        return await self._all(lambda connection: _delete(connection, table.c.id, old))

    async def commands(self, before: datetime) -> int:
        """Delete what commands came to."""
        table = tables.commands
        old = table.c.created_at < before
        return await self._all(lambda connection: _delete(connection, table.c.source, old))

    async def comments(self, before: datetime) -> int:
        """Delete which comments were written; each carries its marker besides."""
        table = tables.comments
        old = table.c.claimed_at < before
        return await self._all(lambda connection: _delete(connection, table.c.marker, old))

    async def outages(self, before: datetime) -> int:
        """Delete for how long steps waited that have ended, and whose process died then."""
        table = tables.outages
        old = table.c.updated_at < before
        return await self._all(lambda connection: _delete(connection, table.c.step, old))

    async def jobs(self, before: datetime) -> int:
        """Delete jobs that have ended, with all that belongs to them.

        One that holds a machine, or left its directory on one, is kept until that is put in order.
        """
        return await self._all(lambda connection: _delete_jobs(connection, before))

    async def shrink(self) -> None:
        """Give what was freed in SQLite's file back to the disk; Postgres does that by itself."""
        while self._database.is_sqlite and await self._database.call(_shrink):
            pass

    async def _all(self, batch: Callable[[sa.Connection], int]) -> int:
        total = 0
        while done := await self._database.call(batch):
            total += done
        return total


def _delete(connection: sa.Connection, key: sa.Column[str], old: sa.ColumnElement[bool]) -> int:
    chosen = sa.select(key).where(old).limit(BATCH)
    return connection.execute(key.table.delete().where(old, key.in_(chosen))).rowcount


def _delete_jobs(connection: sa.Connection, before: datetime) -> int:
    jobs, leases = tables.jobs, tables.leases
    left = (leases.c.state != "released") | (
        leases.c.machine.is_not(None) & leases.c.cleaned_at.is_(None)
    )
    leaves_nothing = ~sa.exists().where(leases.c.job_id == jobs.c.id, left)
    old = sa.select(jobs.c.id).where(
        jobs.c.unfinished.is_(None), jobs.c.updated_at < before, leaves_nothing
    )
    # Locked: on Postgres one of them may be asked for again in this moment, and live.
    chosen = connection.scalars(old.limit(BATCH).with_for_update(skip_locked=True)).all()
    for table, column in _HELD_BY:
        connection.execute(table.delete().where(column.in_(chosen)))
    return connection.execute(jobs.delete().where(jobs.c.id.in_(chosen))).rowcount


def _shrink(connection: sa.Connection) -> bool:
    """Give back some pages; return whether there may be more."""
    free = connection.exec_driver_sql("PRAGMA freelist_count").scalar_one()
    # As a script, which ends the transaction: a single statement would give back one page.
    connection.connection.cursor().executescript(f"PRAGMA incremental_vacuum({_PAGES})")
    return free > _PAGES
