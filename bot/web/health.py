"""Whether the service is alive, and whether it can do its work."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from bot.durable import Engine
    from bot.store import Database

PATIENCE = timedelta(seconds=5)


class Health:
    """Answers the checks of whoever runs the service."""

    def __init__(self, engine: Engine, database: Database) -> None:
        """Look at this engine and this database."""
        self._engine = engine
        self._database = database

    async def alive(self, _request: web.Request) -> web.Response:
        """``/healthz``: the process answers."""
        return web.json_response({"alive": True})

    async def ready(self, _request: web.Request) -> web.Response:
        """``/readyz``: 200 when the database and the engine answer, else 503 saying which not."""
        parts = {"database": await self._database_answers(), "engine": self._engine.is_ready}
        return web.json_response(parts, status=200 if all(parts.values()) else 503)

    async def _database_answers(self) -> bool:
        try:
            async with asyncio.timeout(PATIENCE.total_seconds()):
                return await self._database.answers()
        except TimeoutError:
            return False
