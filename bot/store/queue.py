"""The queue of leases: whose turn it is, decided and written down in one transaction."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa

from bot.models import GpuRequest, JobId, LeaseId
from bot.queue import Plan, Rules, Running, Waiting, decide
from bot.store import tables
from bot.store.binding import bind, lock_slots

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.models import Offer
    from bot.queue import Standing
    from bot.settings import LimitSettings
    from bot.store.database import Database

LATELY = timedelta(days=1)
"""How long it counts for a person's turn that the person had a machine."""
SUSPECT = timedelta(minutes=5)
"""How long a machine that stopped answering is lent only where no other one fits."""

_FRESH = 3.0
"""Seconds for which a decision tells where a job stands."""
_TABLE = tables.leases


@dataclass(frozen=True, slots=True)
class Decided:
    """What one look at the queue came to."""

    going: frozenset[LeaseId]
    """Every lease that has its turn, from now or from earlier."""
    waiting: frozenset[LeaseId]
    plan: Plan


class Queue:
    """Gives waiting leases their turn; one of these per process."""

    def __init__(
        self, database: Database, *, machines: Sequence[Offer] | None, limits: LimitSettings
    ) -> None:
        """Lend these machines within the operator's limits."""
        self._database = database
        self._limits = limits
        self._machines = {offer.machine: offer for offer in machines or ()}
        self._rules = Rules(
            machines=machines,
            jobs_per_repository=limits.jobs_per_repository,
            jobs_per_person=limits.jobs_per_person,
            gpu_types={kind.casefold(): limit for kind, limit in limits.gpu_types.items()},
        )
        self._seen: tuple[float, Plan] | None = None

    async def admit(self) -> Decided:
        """Give their turn to all who can have it; any process may, for the jobs of all."""
        decided = await self._database.call(self._admit)
        self._seen = time.monotonic(), decided.plan
        return decided

    async def standing(self, job_id: JobId) -> Standing | None:
        """Return where a waiting job stands and why; None for one that does not wait."""
        if self._seen is None or time.monotonic() - self._seen[0] > _FRESH:
            plan = (await self._database.call(self._decide)).plan
            self._seen = time.monotonic(), plan
        return self._seen[1].standings.get(job_id)

    def _admit(self, connection: sa.Connection) -> Decided:
        lock_slots(connection)
        decided = self._decide(connection)
        for placed in decided.plan.placed:
            bind(connection, placed.lease_id, placed.machine, placed.slot)
        return decided

    def _decide(self, connection: sa.Connection) -> Decided:
        now = datetime.now(UTC)
        rows = connection.execute(sa.select(_TABLE).where(_TABLE.c.state != "released")).mappings()
        living = list(rows)
        asking = [row for row in living if row["admitted_at"] is None]
        lost = _lost(connection, now) if asking else {}
        had = _had(connection, [row["job_id"] for row in asking])
        waiting = [
            self._waiting(row, lost.get(JobId(row["job_id"]), {}), had.get(JobId(row["job_id"])))
            for row in asking
        ]
        running = [self._running(row) for row in living if row["admitted_at"] is not None]
        plan = decide(
            waiting,
            running,
            rules=self._rules,
            last=_last(connection, now) if asking else {},
            suspects=frozenset(
                machine
                for machines in lost.values()
                for machine, when in machines.items()
                if now - when < SUSPECT
            ),
            now=now,
        )
        going = {job.lease_id for job in running} | {placed.lease_id for placed in plan.placed}
        return Decided(frozenset(going), frozenset(job.lease_id for job in waiting), plan)

    def _waiting(
        self, row: sa.RowMapping, lost: Mapping[str, datetime], had: str | None
    ) -> Waiting:
        return Waiting(
            lease_id=LeaseId(row["id"]),
            job_id=JobId(row["job_id"]),
            person=row["person"],
            repository=row["repository"].lower(),
            request=GpuRequest(
                gpu_type=row["gpu_type"],
                gpus=row["gpus"],
                duration=row["expires_at"] - row["requested_at"],
                machine=row["wanted_machine"],
            ),
            since=row["requested_at"],
            priority=self._limits.priority(row["repository"]),
            is_again=bool(lost),
            avoid=frozenset(lost),
            prefers=had,
            repository_limit=row["repository_limit"],
            person_limit=row["person_limit"],
        )

    def _running(self, row: sa.RowMapping) -> Running:
        offer = self._machines.get(row["machine"])
        return Running(
            lease_id=LeaseId(row["id"]),
            person=row["person"],
            repository=row["repository"].lower(),
            gpu_type=row["gpu_type"] if offer is None else offer.gpu_type,
            gpus=row["gpus"] if offer is None else max(offer.gpus, row["gpus"]),
            machine=row["machine"],
            slot=row["slot"],
        )


def _last(connection: sa.Connection, now: datetime) -> dict[int, datetime]:
    """Return when each person lately had a machine."""
    latest: sa.Label[datetime] = sa.func.max(_TABLE.c.admitted_at, type_=tables.UtcTime).label("at")
    rows = connection.execute(
        sa.select(_TABLE.c.person, latest)
        .where(_TABLE.c.admitted_at > now - LATELY)
        .group_by(_TABLE.c.person)
    )
    return {row.person: row.at for row in rows}


def _had(connection: sa.Connection, job_ids: Sequence[str]) -> dict[JobId, str]:
    """Return which machine these jobs had in their last run, for those that had one."""
    if not job_ids:
        return {}
    rows = connection.execute(
        sa.select(_TABLE.c.job_id, _TABLE.c.machine)
        .where(_TABLE.c.job_id.in_(job_ids), _TABLE.c.machine.is_not(None))
        .order_by(_TABLE.c.requested_at)
    )
    return {JobId(row.job_id): row.machine for row in rows}


def _lost(connection: sa.Connection, now: datetime) -> dict[JobId, dict[str, datetime]]:
    """Return which machines died lately, under which job, and when."""
    lost: dict[JobId, dict[str, datetime]] = {}
    rows = connection.execute(
        sa.select(_TABLE.c.job_id, _TABLE.c.machine, _TABLE.c.lost_at).where(
            _TABLE.c.lost_at > now - LATELY, _TABLE.c.machine.is_not(None)
        )
    )
    for row in rows:
        lost.setdefault(JobId(row.job_id), {})[row.machine] = row.lost_at
    return lost
