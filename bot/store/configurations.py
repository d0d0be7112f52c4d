"""The last right configuration of each repository, so that a broken file changes nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from bot.store import tables

if TYPE_CHECKING:
    from bot.models import RepositoryName
    from bot.store.database import Database

_TABLE = tables.configurations


class RightConfigurations:
    """Texts of ``.github/ptq.yml`` that were right, one for each repository."""

    def __init__(self, database: Database) -> None:
        """Work on this database."""
        self._database = database

    async def keep(self, repository: RepositoryName, text: str) -> None:
        """Keep a right text instead of the one before; empty when there is no file."""
        await self._database.call(_keep, str(repository).lower(), text)

    async def read(self, repository: RepositoryName) -> str | None:
        """Return the last right text; None when none was ever read."""
        return await self._database.call(_read, str(repository).lower())


def _keep(connection: sa.Connection, repository: str, text: str) -> None:
    values = {"text": text, "read_at": datetime.now(UTC)}
    update = _TABLE.update().where(_TABLE.c.repository == repository).values(**values)
    if connection.execute(update).rowcount:
        return
    try:
        with connection.begin_nested():
            connection.execute(_TABLE.insert().values(repository=repository, **values))
    except IntegrityError:
        # Another process was first.
        connection.execute(update)


def _read(connection: sa.Connection, repository: str) -> str | None:
    return connection.execute(
        sa.select(_TABLE.c.text).where(_TABLE.c.repository == repository)
    ).scalar_one_or_none()
