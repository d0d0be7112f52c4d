"""The database of a service, looked into or changed while the service does not run."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import sqlalchemy as sa
from dbos import DBOSClient

from bot.store import Database
from bot.store.engines import complete

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator


@asynccontextmanager
async def opened(url: str) -> AsyncGenerator[Database]:
    """Open it, as a process would."""
    database = await asyncio.to_thread(Database, url)
    await database.upgrade()
    try:
        yield database
    finally:
        await database.close()


async def lose_workflow(url: str, name: str) -> None:
    """Let a record of the engine be gone, as a restored or a cleaned database may."""

    def lose() -> None:
        client = DBOSClient(system_database_url=complete(url))
        client.delete_workflow(name)
        client.destroy()

    await asyncio.to_thread(lose)


def engine_schema(database: Database) -> str | None:
    """Return where the engine keeps its tables."""
    return None if database.is_sqlite else "dbos"


async def count(database: Database, table: str) -> int:
    """Return how many rows a table has."""
    schema = None if table.startswith("ptq_") else engine_schema(database)
    query = sa.select(sa.func.count()).select_from(sa.table(table, schema=schema))
    return await database.call(lambda connection: connection.execute(query).scalar_one())
