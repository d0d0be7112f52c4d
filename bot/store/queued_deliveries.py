"""The deliveries that were enqueued and are not handled: those that were lost wait again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from bot.models import DeliveryId
from bot.store import tables
from bot.store.deliveries import closed

if TYPE_CHECKING:
    from datetime import datetime

    from bot.store.database import Database

_TABLE = tables.deliveries


class QueuedDeliveries:
    """The deliveries in this state."""

    def __init__(self, database: Database) -> None:
        """Work on this database."""
        self._database = database

    async def all(self) -> dict[DeliveryId, datetime]:
        """Return which there are, and when they came."""
        return await self._database.call(_all)

    async def give_back(self, delivery_id: DeliveryId, problem: str | None) -> bool:
        """Have one wait again, or give it up for a problem.

        False when it was handled meanwhile: then nothing happens.
        """
        return await self._database.call(_give_back, delivery_id, problem)


def _all(connection: sa.Connection) -> dict[DeliveryId, datetime]:
    rows = connection.execute(
        sa.select(_TABLE.c.id, _TABLE.c.received_at).where(_TABLE.c.state == "queued")
    )
    return {DeliveryId(row.id): row.received_at for row in rows}


def _give_back(connection: sa.Connection, delivery_id: DeliveryId, problem: str | None) -> bool:
    values: dict[str, Any] = {"state": "waiting"} if problem is None else closed(problem)
    change = _TABLE.update().where(_TABLE.c.id == delivery_id, _TABLE.c.state == "queued")
    return connection.execute(change.values(values)).rowcount > 0
