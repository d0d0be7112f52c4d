"""The database, SQLite or Postgres: its migrations, and work done in threads."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

import sqlalchemy as sa
from alembic import command as alembic
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import SQLAlchemyError

from bot.errors import ConfigurationError, DatabaseUnavailable
from bot.fence import Fence
from bot.store.engines import answering, complete, engine_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator
    from datetime import timedelta

P = ParamSpec("P")
T = TypeVar("T")

_MINIMUM_SQLITE_FOR_312 = (3, 42, 0)
_TAKE_LOCK = sa.text("SELECT pg_try_advisory_lock(7041002)")
_LOCK_PAUSE = 0.2
_THREADS = 8
_URGENT = 2


class Database:
    """Transactions on the one database; every call runs in a thread."""

    def __init__(
        self, url: str, *, fence: Fence | None = None, idle: timedelta | None = None
    ) -> None:
        """Make the engine; nothing connects yet.

        ``idle`` is how long Postgres waits in a transaction for this process, which may be frozen
        and hold what others wait for.
        """
        self.url = complete(url)
        self.is_sqlite = url.startswith("sqlite")
        self.engine = engine_of(self.url, threads=_THREADS + _URGENT, idle=idle)
        self._fence = fence or Fence()
        # One thread writes on SQLite: it has one writer, and waiting in Python is fair.
        self._threads = ThreadPoolExecutor(
            1 if self.is_sqlite else _THREADS, thread_name_prefix="ptq-database-"
        )
        # Heartbeats do not stand in line with the work.
        self._urgent = (
            self._threads
            if self.is_sqlite
            else ThreadPoolExecutor(_URGENT, thread_name_prefix="ptq-database-urgent-")
        )

    async def call(
        self, work: Callable[Concatenate[sa.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run ``work(connection, …)`` in one transaction, in a thread.

        Cancelling the caller does not undo a transaction that has begun. Raise Fenced when this
        process may have been taken over, DatabaseUnavailable when nothing answers: whether the
        transaction was committed is then not known.
        """
        loop = asyncio.get_running_loop()
        done = partial(self._fenced, work, *args, **kwargs)
        return await loop.run_in_executor(self._threads, done)

    async def call_unfenced(
        self, work: Callable[Concatenate[sa.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Do the same, before other work and whatever became of this process."""
        loop = asyncio.get_running_loop()
        done = partial(self._in_transaction, work, *args, **kwargs)
        return await loop.run_in_executor(self._urgent, done)

    def _fenced(
        self, work: Callable[Concatenate[sa.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        self._fence.check()
        return self._in_transaction(work, *args, **kwargs)

    def _in_transaction(
        self, work: Callable[Concatenate[sa.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        with answering(self.engine), self.engine.begin() as connection:
            return work(connection, *args, **kwargs)

    @asynccontextmanager
    async def alone(self) -> AsyncGenerator[None]:
        """Be the only one on Postgres who changes tables, ours and the engine's, in the block."""
        if self.is_sqlite:
            yield
            return
        with self._opening():
            holding = await asyncio.to_thread(self.engine.connect)
        try:
            # No statement waits, and no transaction: the engine makes indexes CONCURRENTLY, which
            # would wait for it in turn.
            await asyncio.to_thread(holding.execution_options, isolation_level="AUTOCOMMIT")
            is_alone = False
            while not is_alone:
                is_alone = bool(await asyncio.to_thread(holding.scalar, _TAKE_LOCK))
                await asyncio.sleep(0 if is_alone else _LOCK_PAUSE)
            yield
        finally:
            # The lock ends with its session.
            await asyncio.to_thread(holding.invalidate)
            await asyncio.to_thread(holding.close)

    async def upgrade(self) -> None:
        """Bring the tables to the newest version; raise ConfigurationError where that is older."""
        await asyncio.to_thread(self._upgrade)

    async def require_current(self) -> None:
        """Raise ConfigurationError unless the tables are there, at the newest version."""
        if self.is_sqlite and not await asyncio.to_thread(Path(self._file).exists):
            message = (
                f"PTQ_DATABASE_URL, PTQ_STATE_DIR: there is no database to open at {self._where}. "
                "The first job makes it (`ptq auto --issue N`), or `ptq db upgrade`; where the "
                "service has another one, name that"
            )
            raise ConfigurationError(message)
        current, newest = await asyncio.to_thread(self._versions)
        if current != newest:
            message = (
                f"the database is at version {current or 'none'}, this ptq needs {newest}: "
                "run `ptq db upgrade`"
            )
            raise ConfigurationError(message)

    async def answers(self) -> bool:
        """Whether a query gets through."""
        try:
            await self.call_unfenced(
                lambda connection: connection.execute(sa.select(1)).scalar_one()
            )
        except (SQLAlchemyError, DatabaseUnavailable):
            return False
        return True

    async def close(self) -> None:
        """Close every connection, after the work that has begun."""
        for threads in (self._threads, self._urgent):
            await asyncio.to_thread(threads.shutdown)
        await asyncio.to_thread(self.engine.dispose)

    @property
    def _file(self) -> str:
        return self.engine.url.database or ""

    @property
    def _where(self) -> str:
        return self.engine.url.set(query={}).render_as_string(hide_password=True)

    def _upgrade(self) -> None:
        with self._opening():
            if self.is_sqlite:
                _require_sqlite()
                Path(self._file).parent.mkdir(parents=True, exist_ok=True)
            self.engine.connect().close()
        with self.engine.begin() as connection:
            _require_known(MigrationContext.configure(connection).get_current_revision())
            config = _alembic()
            config.attributes["connection"] = connection
            alembic.upgrade(config, "head")

    def _versions(self) -> tuple[str | None, str | None]:
        with self._opening(), self.engine.connect() as connection:
            current = MigrationContext.configure(connection).get_current_revision()
        _require_known(current)
        return current, ScriptDirectory.from_config(_alembic()).get_current_head()

    @contextmanager
    def _opening(self) -> Generator[None]:
        """Raise ConfigurationError where the settings lead to no database."""
        try:
            yield
        except (OSError, SQLAlchemyError) as error:
            reason = str(getattr(error, "orig", None) or error).partition("\n")[0]
            message = f"PTQ_DATABASE_URL, PTQ_STATE_DIR: {self._where} cannot be opened: {reason}"
            raise ConfigurationError(message) from error


def _alembic() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def _require_known(current: str | None) -> None:
    """Raise ConfigurationError for a database that a newer ptq has upgraded."""
    script = ScriptDirectory.from_config(_alembic())
    if current is None or any(known.revision == current for known in script.walk_revisions()):
        return
    message = (
        f"the database is at version {current}, which a newer ptq made: this one knows versions up "
        f"to {script.get_current_head()}. Start the newer ptq, or restore an older database"
    )
    raise ConfigurationError(message)


def _require_sqlite() -> None:
    """The engine of durable jobs needs SQLite 3.42 on Python 3.12 and newer."""
    if sys.version_info >= (3, 12) and sqlite3.sqlite_version_info < _MINIMUM_SQLITE_FOR_312:
        message = (
            f"SQLite {sqlite3.sqlite_version} is too old for Python 3.12 and newer: "
            "3.42 is needed; use Python 3.11, a newer SQLite, or Postgres"
        )
        raise ConfigurationError(message)
