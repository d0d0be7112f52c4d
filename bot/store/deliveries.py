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
    from collections.abc import Callable, Sequence

    from bot.models import RepositoryName
    from bot.store.database import Database

# Made once: a busy door would spend its time on putting the statement together.
_INSERT = {
    dialect: insert(tables.deliveries).on_conflict_do_nothing().returning(tables.deliveries.c.id)
    for dialect, insert in (("sqlite", sqlite.insert), ("postgresql", postgresql.insert))
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
        self._together = Together(database, _record)

    async def record(self, delivery_id: DeliveryId, event: str, payload: str | None) -> bool:
        """Record a delivery; one with a payload holds a command, and waits to be enqueued.

        Return False when it is known already (a redelivery keeps its id): then nothing happens.
        """
        values = {
            "id": delivery_id,
            "event": event[:64],
            "received_at": datetime.now(UTC),
            "state": "ignored" if payload is None else "waiting",
            "payload": payload,
        }
        return await self._together.call(values)

    async def enqueue(
        self,
        enqueuing: Callable[[DeliveryId], Callable[[sa.Connection], None]],
        *,
        at_once: int,
        most: int,
    ) -> int:
        """Enqueue the handling of what waits, oldest first, each in the transaction that notes it.

        Take ``at_once`` of them, and leave no more than ``most`` enqueued and unhandled; return how
        many were enqueued.
        """
        return await self._database.call(_enqueue, enqueuing, at_once, most)

    async def read(self, delivery_id: DeliveryId) -> Delivery:
        """Return a delivery that waits; raise LookupError for an unknown one."""
        return await self._database.call(_read, delivery_id)

    async def close(self, delivery_id: DeliveryId, problem: str | None = None) -> None:
        """Mark a delivery as handled, or as failed with the problem; its payload goes."""
        await self._database.call(_close, delivery_id, problem)

    async def waiting(self) -> int:
        """Return how many deliveries are not handled yet, enqueued or not."""
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


def _record(connection: sa.Connection, deliveries: Sequence[dict[str, Any]]) -> list[bool]:
    rows = connection.execute(_INSERT[connection.dialect.name], list(deliveries))
    new = set(rows.scalars())
    made: list[bool] = []
    for delivery in deliveries:
        made.append(delivery["id"] in new)
        new.discard(delivery["id"])  # the same one twice in one moment: the second is known
    return made


def _enqueue(
    connection: sa.Connection,
    enqueuing: Callable[[DeliveryId], Callable[[sa.Connection], None]],
    at_once: int,
    most: int,
) -> int:
    table = tables.deliveries
    # Another process may be about to enqueue the same ones.
    query = (
        sa.select(table.c.id)
        .where(table.c.state == "waiting")
        .order_by(table.c.received_at)
        .limit(at_once)
        .with_for_update(skip_locked=True)
    )
    delivery_ids = connection.execute(query).scalars().all()
    if not delivery_ids:
        return 0
    room = max(0, most - _count(connection, "queued"))
    taken = delivery_ids[:room]
    for delivery_id in taken:
        enqueuing(DeliveryId(delivery_id))(connection)
    if taken:
        connection.execute(table.update().where(table.c.id.in_(taken)).values(state="queued"))
    return len(taken)


def _count(connection: sa.Connection, *states: str) -> int:
    table = tables.deliveries
    query = sa.select(sa.func.count()).select_from(table).where(table.c.state.in_(states))
    return connection.execute(query).scalar_one()


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
    return _count(connection, "waiting", "queued")


def _close(connection: sa.Connection, delivery_id: DeliveryId, problem: str | None) -> None:
    table = tables.deliveries
    connection.execute(table.update().where(table.c.id == delivery_id).values(closed(problem)))


def closed(problem: str | None) -> dict[str, Any]:
    """Return what the row of a delivery says that was handled, or given up for a problem."""
    return {
        "state": "handled" if problem is None else "failed",
        "handled_at": datetime.now(UTC),
        "problem": problem,
        "payload": None,
    }


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
