"""Connections to SQLite and Postgres, and what it means when there are none."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, TimeoutError as NoneFree

from bot.errors import DatabaseUnavailable

if TYPE_CHECKING:
    from collections.abc import Generator
    from datetime import timedelta

_READ_ONLY = "25006"
"""SQLSTATE of a write on a server that has become a standby."""
_SQLITE = frozenset(
    {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL}
)
"""Somebody holds the file for long, or its disk is full or fails."""
_PRIMARY = 0xFF
_NETWORK = {
    "connect_timeout": "5",
    # A connection to a host that is gone without a word ends within half a minute.
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "15000",
}
"""https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS"""


def complete(url: str) -> str:
    """Return the URL with what we want of a connection to Postgres and the operator left open."""
    if url.startswith("sqlite"):
        return url
    parsed = sa.make_url(url)
    query = {**_NETWORK, **parsed.query}
    # Without a driver's name, as the engine of durable jobs wants it.
    return parsed.set(drivername="postgresql", query=query).render_as_string(hide_password=False)


def engine_of(url: str, *, threads: int, idle: timedelta | None) -> sa.Engine:
    """Make the engine for ``threads`` at once; nothing connects yet.

    ``idle`` ends transactions on Postgres whose process does not go on with them.
    """
    return _sqlite(url) if url.startswith("sqlite") else _postgres(url, threads=threads, idle=idle)


@contextmanager
def answering(engine: sa.Engine) -> Generator[None]:
    """Raise DatabaseUnavailable for what passes: no connection, a restart, a full disk."""
    try:
        yield
    except (DBAPIError, NoneFree) as error:
        if _passes(error, is_sqlite=engine.dialect.name == "sqlite"):
            kind = type(getattr(error, "orig", None) or error).__name__
            raise DatabaseUnavailable(f"the database does not answer ({kind})") from error
        raise


def _passes(error: DBAPIError | NoneFree, *, is_sqlite: bool) -> bool:
    if is_sqlite:
        code = getattr(getattr(error, "orig", None), "sqlite_errorcode", 0)
        return code & _PRIMARY in _SQLITE
    if isinstance(error, (NoneFree, OperationalError, InterfaceError)):
        return True
    return error.connection_invalidated or getattr(error.orig, "sqlstate", None) == _READ_ONLY


def _postgres(url: str, *, threads: int, idle: timedelta | None) -> sa.Engine:
    engine = sa.create_engine(
        sa.make_url(url).set(drivername="postgresql+psycopg"),
        pool_pre_ping=True,
        pool_size=threads,
    )
    if idle is not None:
        milliseconds = round(idle.total_seconds() * 1000)

        @event.listens_for(engine, "connect")
        def _limited(connection: sa.PoolProxiedConnection, _record: object) -> None:  # pyright: ignore[reportUnusedFunction] -- SQLAlchemy calls it
            cursor = connection.cursor()
            cursor.execute(f"SET idle_in_transaction_session_timeout = {milliseconds}")
            cursor.close()
            connection.commit()

    return engine


def _sqlite(url: str) -> sa.Engine:
    engine = sa.create_engine(url)

    @event.listens_for(engine, "connect")
    def _connected(connection: sqlite3.Connection, _record: object) -> None:  # pyright: ignore[reportUnusedFunction] -- SQLAlchemy calls it
        connection.isolation_level = None
        connection.execute("PRAGMA busy_timeout=30000")
        # Before there is anything in it: what is deleted can be given back to the disk.
        connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
        connection.execute("PRAGMA journal_mode=WAL")
        # FULL: a delivery that was answered 202 survives a power cut.
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")

    @event.listens_for(engine, "begin")
    def _begun(connection: sa.Connection) -> None:  # pyright: ignore[reportUnusedFunction] -- SQLAlchemy calls it
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine
