"""The deliveries that GitHub could not make, and how often we had each of them made again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from bot.models import DeliveryId
from bot.store import tables

if TYPE_CHECKING:
    from bot.store.database import Database

_TABLE = tables.failed_deliveries


@dataclass(frozen=True, slots=True)
class FailedDelivery:
    """A delivery that failed, by GitHub's word, and that we never recorded."""

    id: DeliveryId
    attempt_id: int
    tries: int


class FailedDeliveries:
    """The failed deliveries that are worth another try."""

    def __init__(self, database: Database) -> None:
        """Work on this database."""
        self._database = database

    async def note(self, delivery_id: DeliveryId, *, attempt_id: int, failed_at: datetime) -> bool:
        """Remember one; False when it is known already, or was recorded when it came."""
        return await self._database.call(_note, delivery_id, attempt_id, failed_at)

    async def forget_recorded(self) -> int:
        """Forget those that came after all; return how many."""
        return await self._database.call(_forget_recorded)

    async def forget_older(self, moment: datetime) -> int:
        """Forget those that failed before this moment; return how many."""
        return await self._database.call(_forget_older, moment)

    async def due(self, *, tries: int, limit: int) -> list[FailedDelivery]:
        """Return those that had fewer tries and whose next one is due, oldest first."""
        return await self._database.call(_due, tries, limit)

    async def count_try(self, delivery_id: DeliveryId, *, next_at: datetime) -> None:
        """Write down a try, before it is made."""
        await self._database.call(_count_try, delivery_id, next_at)

    async def give_up(self, delivery_id: DeliveryId, *, tries: int) -> None:
        """Count as many tries as there may be."""
        await self._database.call(_give_up, delivery_id, tries)


def _note(
    connection: sa.Connection, delivery_id: DeliveryId, attempt_id: int, failed_at: datetime
) -> bool:
    received = tables.deliveries
    if connection.execute(sa.select(received.c.id).where(received.c.id == delivery_id)).first():
        return False
    try:
        with connection.begin_nested():
            connection.execute(
                _TABLE.insert().values(
                    id=delivery_id,
                    attempt_id=attempt_id,
                    failed_at=failed_at,
                    tries=0,
                    next_at=datetime.now(UTC),
                )
            )
    except IntegrityError:
        return False
    return True


def _forget_recorded(connection: sa.Connection) -> int:
    recorded = sa.select(tables.deliveries.c.id)
    return connection.execute(_TABLE.delete().where(_TABLE.c.id.in_(recorded))).rowcount


def _forget_older(connection: sa.Connection, moment: datetime) -> int:
    return connection.execute(_TABLE.delete().where(_TABLE.c.failed_at < moment)).rowcount


def _due(connection: sa.Connection, tries: int, limit: int) -> list[FailedDelivery]:
    rows = connection.execute(
        sa.select(_TABLE.c.id, _TABLE.c.attempt_id, _TABLE.c.tries)
        .where(_TABLE.c.next_at <= datetime.now(UTC), _TABLE.c.tries < tries)
        .order_by(_TABLE.c.failed_at)
        .limit(limit)
    )
    return [FailedDelivery(DeliveryId(row.id), row.attempt_id, row.tries) for row in rows]


def _count_try(connection: sa.Connection, delivery_id: DeliveryId, next_at: datetime) -> None:
    connection.execute(
        _TABLE.update()
        .where(_TABLE.c.id == delivery_id)
        .values(tries=_TABLE.c.tries + 1, next_at=next_at)
    )


def _give_up(connection: sa.Connection, delivery_id: DeliveryId, tries: int) -> None:
    connection.execute(_TABLE.update().where(_TABLE.c.id == delivery_id).values(tries=tries))
