"""How a lease is bound to its slot, and its end moved: each in one transaction."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa

from bot.errors import MachineError
from bot.store import tables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.models import LeaseId

_TABLE = tables.leases
_SLOTS_LOCK = 7_041_001
"""Key of the Postgres advisory lock under which slots are bound."""


def lock_slots(connection: sa.Connection) -> None:
    """Be the only one to bind slots until the transaction ends; SQLite's has one writer anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_SLOTS_LOCK)))


def bind(
    connection: sa.Connection, lease_id: LeaseId, machine: str | None, slot: int | None
) -> None:
    """Give a lease its place, from now on for as long as it was asked for."""
    now = datetime.now(UTC)
    times = connection.execute(
        sa.select(_TABLE.c.requested_at, _TABLE.c.expires_at).where(_TABLE.c.id == lease_id)
    ).one()
    # Waiting for a machine takes nothing from the time on it.
    connection.execute(
        _TABLE.update()
        .where(_TABLE.c.id == lease_id)
        .values(
            machine=machine,
            slot=slot,
            state="active",
            admitted_at=now,
            expires_at=now + (times.expires_at - times.requested_at),
        )
    )


def claim(
    connection: sa.Connection, lease_id: LeaseId, slots: Sequence[tuple[str, int]]
) -> tuple[str, int] | None:
    """Bind the lease to the first free slot, or find what it is bound to; see Leases.claim."""
    lock_slots(connection)
    lease = connection.execute(
        sa.select(_TABLE.c.machine, _TABLE.c.slot).where(
            _TABLE.c.id == lease_id, _TABLE.c.state != "released"
        )
    ).one_or_none()
    if lease is None:
        message = f"lease {lease_id} is released or unknown"
        raise MachineError(message)
    if lease.machine is not None and lease.slot is not None:
        return lease.machine, lease.slot
    for machine, count in slots:
        taken = set(
            connection.scalars(
                sa.select(_TABLE.c.slot).where(
                    _TABLE.c.machine == machine, _TABLE.c.state != "released"
                )
            )
        )
        free = [slot for slot in range(count) if slot not in taken]
        if free:
            bind(connection, lease_id, machine, free[0])
            return machine, free[0]
    return None


def extend_once(
    connection: sa.Connection, lease_id: LeaseId, key: str, by: timedelta, at_most: timedelta
) -> tuple[datetime, bool]:
    """Move the end of a living lease, once for a key; see Leases.extend_once."""
    row = connection.execute(
        sa.select(_TABLE)
        .where(
            _TABLE.c.id == lease_id,
            _TABLE.c.state != "released",
            _TABLE.c.admitted_at.is_not(None),
        )
        .with_for_update()
    ).one_or_none()
    if row is None:
        message = f"lease {lease_id} is released, or has no machine"
        raise MachineError(message)
    if key in row.extensions:
        return row.expires_at, True
    until = row.expires_at + by
    if until - row.admitted_at > at_most:
        return row.expires_at, False
    connection.execute(
        _TABLE.update()
        .where(_TABLE.c.id == lease_id)
        .values(
            expires_at=until,
            extensions={**row.extensions, key: by / timedelta(hours=1)},
        )
    )
    return until, True
