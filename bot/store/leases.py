"""The leases: the row that stands before a reservation is asked for, and its tombstone after."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa

from bot.errors import MachineError
from bot.models import JobId, LeaseId
from bot.store import tables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.models import GpuRequest
    from bot.store.database import Database

_TABLE = tables.leases
_SLOTS_LOCK = 7_041_001
"""Key of the Postgres advisory lock under which slots are bound."""


@dataclass(frozen=True, slots=True)
class Lease:
    """A lease that is not released."""

    id: LeaseId
    job_id: JobId
    provider: str
    machine: str | None
    slot: int | None
    requested_at: datetime
    expires_at: datetime


class Leases:
    """The book of leases; a released one never comes back to life."""

    def __init__(self, database: Database) -> None:
        """Work on this database."""
        self._database = database

    async def open(
        self,
        lease_id: LeaseId,
        job_id: JobId,
        provider: str,
        request: GpuRequest,
        *,
        repository_limit: int | None = None,
        person_limit: int | None = None,
    ) -> None:
        """Write the row before anything is asked of a provider; fine when it stands already.

        The limits are the repository's own, of its jobs at once and of one person's.
        """
        await self._database.call(
            _open,
            lease_id,
            job_id,
            provider,
            request,
            repository_limit=repository_limit,
            person_limit=person_limit,
        )

    async def claim(
        self, lease_id: LeaseId, slots: Sequence[tuple[str, int]]
    ) -> tuple[str, int] | None:
        """Bind the lease to the first machine with a free slot, in one transaction.

        ``slots`` are (machine, how many). Return (machine, slot), the same again when it was bound
        before, None when all are busy. Raise MachineError for a released or unknown lease.
        """
        return await self._database.call(_claim, lease_id, slots)

    async def machine(self, lease_id: LeaseId) -> tuple[str, int, datetime] | None:
        """Return (machine, slot, end) of a living, bound lease, or None."""
        lease = await self._database.call(_find, lease_id)
        if lease is None or lease.machine is None or lease.slot is None:
            return None
        return lease.machine, lease.slot, lease.expires_at

    async def extend(self, lease_id: LeaseId, until: datetime) -> None:
        """Move the end of a living lease; raise MachineError for a released one."""
        await self._database.call(_extend, lease_id, until)

    async def release(self, lease_id: LeaseId) -> None:
        """Free the slot; the row stays as a tombstone."""
        await self._database.call(_release, lease_id)

    async def living(self) -> list[Lease]:
        """Return every lease that is not released, oldest first."""
        return await self._database.call(_living)


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


def _open(
    connection: sa.Connection,
    lease_id: LeaseId,
    job_id: JobId,
    provider: str,
    request: GpuRequest,
    *,
    repository_limit: int | None,
    person_limit: int | None,
) -> None:
    if connection.execute(sa.select(_TABLE.c.id).where(_TABLE.c.id == lease_id)).first():
        return
    now = datetime.now(UTC)
    jobs = tables.jobs
    job = connection.execute(
        sa.select(jobs.c.repository, jobs.c.request).where(jobs.c.id == job_id)
    ).one()
    connection.execute(
        _TABLE.insert().values(
            id=lease_id,
            job_id=job_id,
            repository=job.repository,
            person=job.request["requester"]["id"],
            provider=provider,
            state="requested",
            gpu_type=request.gpu_type,
            gpus=request.gpus,
            wanted_machine=request.machine,
            repository_limit=repository_limit,
            person_limit=person_limit,
            requested_at=now,
            expires_at=now + request.duration,
        )
    )


def _claim(
    connection: sa.Connection, lease_id: LeaseId, slots: Sequence[tuple[str, int]]
) -> tuple[str, int] | None:
    lock_slots(connection)
    lease = _find(connection, lease_id)
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


def _find(connection: sa.Connection, lease_id: LeaseId) -> Lease | None:
    row = (
        connection.execute(
            sa.select(_TABLE).where(_TABLE.c.id == lease_id, _TABLE.c.state != "released")
        )
        .mappings()
        .one_or_none()
    )
    return None if row is None else _lease(row)


def _lease(values: sa.RowMapping) -> Lease:
    return Lease(
        id=LeaseId(values["id"]),
        job_id=JobId(values["job_id"]),
        provider=values["provider"],
        machine=values["machine"],
        slot=values["slot"],
        requested_at=values["requested_at"],
        expires_at=values["expires_at"],
    )


def _extend(connection: sa.Connection, lease_id: LeaseId, until: datetime) -> None:
    done = connection.execute(
        _TABLE.update()
        .where(_TABLE.c.id == lease_id, _TABLE.c.state != "released")
        .values(expires_at=until)
    )
    if done.rowcount == 0:
        message = f"lease {lease_id} is released or unknown"
        raise MachineError(message)


def _release(connection: sa.Connection, lease_id: LeaseId) -> None:
    connection.execute(
        _TABLE.update()
        .where(_TABLE.c.id == lease_id, _TABLE.c.state != "released")
        .values(state="released", released_at=datetime.now(UTC))
    )


def _living(connection: sa.Connection) -> list[Lease]:
    rows = connection.execute(
        sa.select(_TABLE).where(_TABLE.c.state != "released").order_by(_TABLE.c.requested_at)
    ).mappings()
    return [_lease(row) for row in rows]
