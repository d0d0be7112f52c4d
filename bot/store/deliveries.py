"""What GitHub delivered, and which commands were found in it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from bot.models import DeliveryId, JobId
from bot.store import tables
from bot.store.together import Together

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.models import RepositoryName
    from bot.store.database import Database

# Made once: a busy door would spend its time on putting the statement together.
_INSERT = {
    "sqlite": sqlite.insert(tables.deliveries).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(tables.deliveries).on_conflict_do_nothing(),
}


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivery that holds a command."""

    id: DeliveryId
    event: str
    payload: dict[str, Any]
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Handled:
    """What became of one command of one comment."""

    outcome: str
    job_id: JobId | None
    delivery_id: DeliveryId
    """Under which it was carried out."""


class Deliveries:
    """The deliveries and the commands in them."""

    def __init__(self, database: Database) -> None:
        """Work on this database."""
        self._database = database
        self._together = Together(database)

    async def record(
        self,
        delivery_id: DeliveryId,
        event: str,
        payload: str | None,
        enqueue: Callable[[sa.Connection], None] | None,
    ) -> bool:
        """Record a delivery, and enqueue its handling in the same transaction.

        Return False when it is known already (a redelivery keeps its id): then nothing happens.
        """
        return await self._together.call(
            lambda connection: _record(connection, delivery_id, event, payload, enqueue)
        )

    async def read(self, delivery_id: DeliveryId) -> Delivery:
        """Return a delivery that waits; raise LookupError for an unknown one."""
        return await self._database.call(_read, delivery_id)

    async def close(self, delivery_id: DeliveryId, problem: str | None = None) -> None:
        """Mark a delivery as handled, or as failed with the problem; its payload goes."""
        await self._database.call(_close, delivery_id, problem)

    async def waiting(self) -> int:
        """Return how many deliveries are not handled yet."""
        return await self._database.call(_waiting)

    async def knows_comment(
        self, repository: RepositoryName, comment_id: int, *, delivery_id: DeliveryId
    ) -> bool:
        """Whether a comment's commands were carried out, or it was recorded under this id."""
        return await self._database.call(_knows_comment, str(repository), comment_id, delivery_id)

    async def handled(
        self,
        repository: RepositoryName,
        comment_id: int | None,
        ordinal: int,
        *,
        delivery_id: DeliveryId,
    ) -> Handled | None:
        """Return what became of a command, or None for one that is new."""
        source = source_of(comment_id, delivery_id)
        return await self._database.call(_handled, str(repository), source, ordinal)

    async def claim(
        self,
        repository: RepositoryName,
        comment_id: int | None,
        ordinal: int,
        *,
        delivery_id: DeliveryId,
        outcome: str,
    ) -> bool:
        """Record a command's outcome once; without a comment it is a label's.

        True when this delivery recorded it (also when it did before: a step may run twice);
        False when another delivery of the same comment did.
        """
        return await self._database.call(
            claim_command, str(repository), comment_id, ordinal, delivery_id, outcome, None
        )


def source_of(comment_id: int | None, delivery_id: DeliveryId) -> str:
    """Return what a command is known by: its comment, or the delivery that tells of a label."""
    return f"delivery/{delivery_id}" if comment_id is None else f"comment/{comment_id}"


def claim_command(
    connection: sa.Connection,
    repository: str,
    comment_id: int | None,
    ordinal: int,
    delivery_id: DeliveryId,
    outcome: str,
    job_id: JobId | None,
) -> bool:
    """Insert the command's row in the caller's transaction; see Deliveries.claim."""
    table = tables.commands
    source = source_of(comment_id, delivery_id)
    key = (
        (table.c.repository == repository)
        & (table.c.source == source)
        & (table.c.ordinal == ordinal)
    )
    try:
        with connection.begin_nested():
            connection.execute(
                table.insert().values(
                    repository=repository,
                    source=source,
                    ordinal=ordinal,
                    delivery_id=delivery_id,
                    outcome=outcome,
                    job_id=job_id,
                    created_at=datetime.now(UTC),
                )
            )
    except IntegrityError:
        row = connection.execute(sa.select(table.c.delivery_id).where(key)).one()
        return row.delivery_id == delivery_id
    return True


def _record(
    connection: sa.Connection,
    delivery_id: DeliveryId,
    event: str,
    payload: str | None,
    enqueue: Callable[[sa.Connection], None] | None,
) -> bool:
    values = {
        "id": delivery_id,
        "event": event[:64],
        "received_at": datetime.now(UTC),
        "state": "ignored" if enqueue is None else "waiting",
        "payload": payload,
    }
    made = connection.execute(
        _INSERT[connection.dialect.name], values, execution_options={"preserve_rowcount": True}
    )
    if not made.rowcount:
        return False
    if enqueue is not None:
        enqueue(connection)
    return True


def _read(connection: sa.Connection, delivery_id: DeliveryId) -> Delivery:
    table = tables.deliveries
    row = connection.execute(sa.select(table).where(table.c.id == delivery_id)).one_or_none()
    if row is None or row.payload is None:
        message = f"no payload of delivery {delivery_id}"
        raise LookupError(message)
    return Delivery(
        id=DeliveryId(row.id),
        event=row.event,
        payload=json.loads(row.payload),
        received_at=row.received_at,
    )


def _knows_comment(
    connection: sa.Connection, repository: str, comment_id: int, delivery_id: DeliveryId
) -> bool:
    commands, deliveries = tables.commands, tables.deliveries
    carried_out = sa.exists().where(
        commands.c.repository == repository,
        commands.c.source == source_of(comment_id, delivery_id),
    )
    recorded = sa.exists().where(deliveries.c.id == delivery_id)
    return connection.execute(sa.select(carried_out | recorded)).scalar_one()


def _waiting(connection: sa.Connection) -> int:
    table = tables.deliveries
    query = sa.select(sa.func.count()).select_from(table).where(table.c.state == "waiting")
    return connection.execute(query).scalar_one()


def _close(connection: sa.Connection, delivery_id: DeliveryId, problem: str | None) -> None:
    table = tables.deliveries
    connection.execute(
        table.update()
        .where(table.c.id == delivery_id)
        .values(
            state="handled" if problem is None else "failed",
            handled_at=datetime.now(UTC),
            problem=problem,
            payload=None,
        )
    )


def _handled(
    connection: sa.Connection, repository: str, source: str, ordinal: int
) -> Handled | None:
    table = tables.commands
    row = connection.execute(
        sa.select(table.c.outcome, table.c.job_id, table.c.delivery_id).where(
            table.c.repository == repository,
            table.c.source == source,
            table.c.ordinal == ordinal,
        )
    ).one_or_none()
    if row is None:
        return None
    job_id = row.job_id and JobId(row.job_id)
    return Handled(row.outcome, job_id, DeliveryId(row.delivery_id))
