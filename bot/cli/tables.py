"""The tables of a SQLite file, made before the first job is asked for."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.cli.opened import lock_of
from bot.durable import Engine
from bot.store import Database, is_served, only_process

if TYPE_CHECKING:
    from bot.settings import Settings


async def upgrade(settings: Settings) -> None:
    """Make the tables, or bring them to the version that is needed; fine to repeat."""
    database = await asyncio.to_thread(Database, settings.database)
    try:
        async with database.alone():
            await database.upgrade()
            engine = Engine(database.url, executor_id="upgrade", poll=timedelta(seconds=1))
            await engine.upgrade()
    finally:
        await database.close()


async def make(settings: Settings) -> None:
    """Do that on SQLite, unless a process serves the file, which has done it."""
    path = lock_of(settings)
    if not settings.database.startswith("sqlite") or await asyncio.to_thread(is_served, path):
        return
    lock = only_process(path)
    await asyncio.to_thread(lock.__enter__)
    try:
        await upgrade(settings)
    finally:
        lock.__exit__(None, None, None)
