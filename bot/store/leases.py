"""The leases: the row that stands before a reservation is asked for, and its tombstone after."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa

from bot.errors import MachineError
from bot.models import JobId, LeaseId
from bot.store import tables
from bot.store.binding import claim, extend_once

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import timedelta

    from bot.models import GpuRequest
    from bot.store.database import Database

_TABLE = tables.leases


@dataclass(frozen=True, slots=True)
class Lease:
    """A lease that is not released."""

    id: LeaseId
    job_id: JobId
    provider: str
    machine: str | None
    slot: int | None
    requested_at: datetime
    admitted_at: datetime | None
    """When it was its turn; None while it waits."""
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
        return await self._database.call(claim, lease_id, slots)

    async def machine(self, lease_id: LeaseId) -> tuple[str, int, datetime] | None:
        """Return (machine, slot, end) of a living, bound lease, or None."""
        lease = await self._database.call(_find, lease_id)
        if lease is None or lease.machine is None or lease.slot is None:
            return None
        return lease.machine, lease.slot, lease.expires_at

    async def extend(self, lease_id: LeaseId, until: datetime) -> None:
        """Move the end of a living lease; raise MachineError for a released one."""
        await self._database.call(_extend, lease_id, until)

    async def of_job(self, job_id: JobId) -> Lease | None:
        """Return the living lease of a job that has its turn, or None."""
        return await self._database.call(_of_job, job_id)

    async def extend_once(
        self, lease_id: LeaseId, key: str, by: timedelta, *, at_most: timedelta
    ) -> tuple[datetime, bool]:
        """Move a living lease's end, once for a key; return the end, and whether it is moved.

        It is not, where the whole would be longer than ``at_most``. Raise MachineError for a lease
        that is released, or has no machine yet.
        """
        return await self._database.call(extend_once, lease_id, key, by, at_most)

    async def ends(self, lease_ids: Collection[LeaseId]) -> dict[LeaseId, datetime]:
        """Return when these leases end; those that are released are missing."""
        return await self._database.call(_ends, lease_ids)

    async def lose(self, lease_id: LeaseId) -> str | None:
        """Release a lease whose machine does not answer; return the machine's name.

        An agent may still run there: whoever has the machine next ends it first.
        """
        return await self._database.call(_lose, lease_id)

    async def haunted(self, machine: str) -> list[Lease]:
        """Return the lost leases whose agent may still run on this machine."""
        return await self._database.call(_haunted, machine)

    async def haunted_machines(self) -> list[str]:
        """Return the machines on which an agent of a lost lease may still run."""
        return await self._database.call(_haunted_machines)

    async def lay(self, lease_id: LeaseId) -> None:
        """Note that no agent of a lost lease runs any more."""
        await self._database.call(_lay, lease_id)

    async def release(self, lease_id: LeaseId) -> None:
        """Free the slot; the row stays as a tombstone."""
        await self._database.call(_release, lease_id)

    async def machines(self, job_id: JobId) -> list[str]:
        """Return the machines that were ever lent to a job, newest first, each once."""
        return await self._database.call(_machines, job_id)

    async def living(self) -> list[Lease]:
        """Return every lease that is not released, oldest first."""
        return await self._database.call(_living)


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
            extensions={},
            is_haunted=False,
            expires_at=now + request.duration,
        )
    )


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
        admitted_at=values["admitted_at"],
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


def _of_job(connection: sa.Connection, job_id: JobId) -> Lease | None:
    row = (
        connection.execute(
            sa.select(_TABLE).where(
                _TABLE.c.job_id == job_id,
                _TABLE.c.state != "released",
                _TABLE.c.admitted_at.is_not(None),
            )
        )
        .mappings()
        .first()
    )
    return None if row is None else _lease(row)


def _ends(connection: sa.Connection, lease_ids: Collection[LeaseId]) -> dict[LeaseId, datetime]:
    rows = connection.execute(
        sa.select(_TABLE.c.id, _TABLE.c.expires_at).where(
            _TABLE.c.id.in_(lease_ids), _TABLE.c.state != "released"
        )
    )
    return {LeaseId(row.id): row.expires_at for row in rows}


def _lose(connection: sa.Connection, lease_id: LeaseId) -> str | None:
    now = datetime.now(UTC)
    connection.execute(
        _TABLE.update()
        .where(_TABLE.c.id == lease_id, _TABLE.c.lost_at.is_(None))
        .values(
            state="released",
            released_at=sa.func.coalesce(_TABLE.c.released_at, now.isoformat()),
            lost_at=now,
            is_haunted=_TABLE.c.machine.is_not(None),
        )
    )
    return connection.scalar(sa.select(_TABLE.c.machine).where(_TABLE.c.id == lease_id))


def _haunted(connection: sa.Connection, machine: str) -> list[Lease]:
    rows = connection.execute(
        sa.select(_TABLE).where(
            _TABLE.c.lost_at.is_not(None), _TABLE.c.is_haunted, _TABLE.c.machine == machine
        )
    ).mappings()
    return [_lease(row) for row in rows]


def _haunted_machines(connection: sa.Connection) -> list[str]:
    names = sa.select(_TABLE.c.machine).where(_TABLE.c.lost_at.is_not(None), _TABLE.c.is_haunted)
    return list(connection.scalars(names.distinct()))


def _lay(connection: sa.Connection, lease_id: LeaseId) -> None:
    connection.execute(_TABLE.update().where(_TABLE.c.id == lease_id).values(is_haunted=False))


def _release(connection: sa.Connection, lease_id: LeaseId) -> None:
    connection.execute(
        _TABLE.update()
        .where(_TABLE.c.id == lease_id, _TABLE.c.state != "released")
        .values(state="released", released_at=datetime.now(UTC))
    )


def _machines(connection: sa.Connection, job_id: JobId) -> list[str]:
    names = connection.scalars(
        sa.select(_TABLE.c.machine)
        .where(_TABLE.c.job_id == job_id, _TABLE.c.machine.is_not(None))
        .order_by(_TABLE.c.requested_at.desc())
    )
    return list(dict.fromkeys(names))


def _living(connection: sa.Connection) -> list[Lease]:
    rows = connection.execute(
        sa.select(_TABLE).where(_TABLE.c.state != "released").order_by(_TABLE.c.requested_at)
    ).mappings()
    return [_lease(row) for row in rows]
