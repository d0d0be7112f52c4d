"""The database: one engine, SQLite or Postgres, its migrations, and work done in threads."""

from __future__ import annotations

import asyncio
import fcntl
import sqlite3
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

import sqlalchemy as sa
from alembic import command as alembic
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import event
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from bot.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

P = ParamSpec("P")
T = TypeVar("T")

_MINIMUM_SQLITE_FOR_312 = (3, 42, 0)
_THREADS = 8
_TRIES = 5
_PAUSE = 0.05
"""Seconds between two tries to get a lock."""


class Database:
    """Transactions on the one database; every call runs in a thread."""

    def __init__(self, url: str) -> None:
        """Make the engine; nothing connects yet."""
        self.url = url
        self.is_sqlite = url.startswith("sqlite")
        self.engine = _engine(url)
        # One thread writes on SQLite: it has one writer, and waiting in Python is fair.
        self._threads = ThreadPoolExecutor(
            1 if self.is_sqlite else _THREADS, thread_name_prefix="ptq-database-"
        )

    async def call(
        self, work: Callable[Concatenate[sa.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run ``work(connection, …)`` in one transaction, in a thread.

        Cancelling the caller does not undo a transaction that has begun.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            self._threads, partial(self._in_transaction, work, *args, **kwargs)
        )

    def _in_transaction(
        self, work: Callable[Concatenate[sa.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        with self.engine.begin() as connection:
            return work(connection, *args, **kwargs)

    async def upgrade(self) -> None:
        """Bring the tables to the newest version."""
        await asyncio.to_thread(self._upgrade)

    async def require_current(self) -> None:
        """Raise ConfigurationError unless the tables are there, at the newest version."""
        try:
            current, newest = await asyncio.to_thread(self._versions)
        except OperationalError as error:
            where = self.engine.url.render_as_string(hide_password=True)
            message = (
                f"PTQ_DATABASE_URL, PTQ_STATE_DIR: there is no database to open at {where}: name "
                "the one that the service uses, or make it with `ptq db upgrade`"
            )
            raise ConfigurationError(message) from error
        if current != newest:
            message = (
                f"the database is at version {current or 'none'}, this ptq needs {newest}: "
                "run `ptq db upgrade`"
            )
            raise ConfigurationError(message)

    async def answers(self) -> bool:
        """Whether a query gets through."""
        try:
            await self.call(lambda connection: connection.execute(sa.select(1)).scalar_one())
        except SQLAlchemyError:
            return False
        return True

    async def close(self) -> None:
        """Close every connection, after the work that has begun."""
        await asyncio.to_thread(self._threads.shutdown)
        await asyncio.to_thread(self.engine.dispose)

    def _upgrade(self) -> None:
        if self.is_sqlite:
            _require_sqlite()
            Path(self.engine.url.database or "").parent.mkdir(parents=True, exist_ok=True)
        with self.engine.begin() as connection:
            config = _alembic()
            config.attributes["connection"] = connection
            alembic.upgrade(config, "head")

    def _versions(self) -> tuple[str | None, str | None]:
        with self.engine.connect() as connection:
            current = MigrationContext.configure(connection).get_current_revision()
        return current, ScriptDirectory.from_config(_alembic()).get_current_head()


def _alembic() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def _engine(url: str) -> sa.Engine:
    if not url.startswith("sqlite"):
        return sa.create_engine(
            sa.make_url(url).set(drivername="postgresql+psycopg"),
            pool_pre_ping=True,
            pool_size=_THREADS,
        )
    engine = sa.create_engine(url)

    @event.listens_for(engine, "connect")
    def _connected(connection: sqlite3.Connection, _record: object) -> None:  # pyright: ignore[reportUnusedFunction] -- SQLAlchemy calls it
        connection.isolation_level = None
        connection.execute("PRAGMA busy_timeout=30000")
        connection.execute("PRAGMA journal_mode=WAL")
        # FULL: a delivery that was answered 202 survives a power cut.
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")

    @event.listens_for(engine, "begin")
    def _begun(connection: sa.Connection) -> None:  # pyright: ignore[reportUnusedFunction] -- SQLAlchemy calls it
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _require_sqlite() -> None:
    """The engine of durable jobs needs SQLite 3.42 on Python 3.12 and newer."""
    if sys.version_info >= (3, 12) and sqlite3.sqlite_version_info < _MINIMUM_SQLITE_FOR_312:
        message = (
            f"SQLite {sqlite3.sqlite_version} is too old for Python 3.12 and newer: "
            "3.42 is needed; use Python 3.11, a newer SQLite, or Postgres"
        )
        raise ConfigurationError(message)


@contextmanager
def only_process(path: Path) -> Generator[None]:
    """Hold the lock file of a state directory; raise ConfigurationError when another process does.

    One process per SQLite file: with more, limits would be overrun.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as lock:
        # Who only looks whether it is held (``is_served``) holds it for a moment.
        for left in reversed(range(_TRIES)):
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError as error:
                if left:
                    time.sleep(_PAUSE)
                    continue
                message = (
                    f"another ptq serves from {path.parent}: stop it, or give this one its own "
                    "PTQ_STATE_DIR, or use Postgres for many processes"
                )
                raise ConfigurationError(message) from error
        yield


def is_served(path: Path) -> bool:
    """Whether a process holds this lock file."""
    try:
        with path.open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False
