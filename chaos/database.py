"""The database of the bot's processes: a file, or a Postgres server from a wheel."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.fakes.postgres import Postgres

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from chaos.options import Options


@dataclass(frozen=True, slots=True)
class ChaosDatabase:
    """Where it is."""

    url: str
    server: Postgres | None = None

    async def restart(self) -> None:
        """Stop the server, and start it again."""
        if self.server is not None:
            await self.server.stop()
            await self.server.start()


@asynccontextmanager
async def database(state: Path, options: Options) -> AsyncGenerator[ChaosDatabase]:
    """Run what was asked for; the process with this state directory makes SQLite's file."""
    if options.database == "sqlite":
        yield ChaosDatabase(f"sqlite:///{state / 'ptq.sqlite'}")
        return
    server = Postgres()
    await asyncio.to_thread(server.__enter__)
    try:
        yield ChaosDatabase(await asyncio.to_thread(server.database), server)
    finally:
        await asyncio.to_thread(server.__exit__, None, None, None)
