"""More time for a job that has a machine, within everybody's limits; from whatever process."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from bot.errors import Refusal

if TYPE_CHECKING:
    from bot.investigation.parts import Parts
    from bot.machines.base import MachineProvider
    from bot.models import JobId, JobRequest, Reservation
    from bot.store import Leases

LEASE_EXTENDED = "lease_extended"
LEASE_BEGUN_ANEW = "lease_begun_anew"

_HOUR = timedelta(hours=1)
_log = structlog.stdlib.get_logger(__name__)


async def extend(parts: Parts, job_id: JobId, hours: float, *, key: str) -> datetime:
    """Keep a job's machine for ``hours`` more, and return until when.

    The command that asks is the ``key``: asked again, it changes nothing. Raise Refusal, with the
    numbers, for more than the operator or the repository allows, and where there is no machine.
    The process that follows the agent sees it, and moves the agent's deadlines.
    """
    thread = (await parts.jobs.get(job_id)).request.thread
    limit = parts.settings.limits.hours
    if thread is not None:
        in_force = await parts.configurations.of(parts.repository(thread))
        limit = min(limit, in_force.configuration.limits.hours or limit)
    return await extend_lease(
        parts.leases, parts.provider, job_id, hours=hours, limit=limit, key=key
    )


async def extend_lease(
    leases: Leases,
    provider: MachineProvider,
    job_id: JobId,
    *,
    hours: float,
    limit: float,
    key: str,
) -> datetime:
    """Extend a job's reservation to no more than ``limit`` hours in all; see ``extend``."""
    lease = await leases.of_job(job_id)
    if lease is None or lease.admitted_at is None:
        raise Refusal(f"job `{job_id}` has no machine now, so there is no time to extend.")
    end, is_moved = await leases.extend_once(lease.id, key, hours * _HOUR, at_most=limit * _HOUR)
    if not is_moved:
        whole = (end - lease.admitted_at) / _HOUR
        raise Refusal(
            f"`--hours {hours:g}` would make {whole + hours:.4g} hours in all, and {limit:g} are "
            f"allowed here: the machine is reserved for {whole:.4g}."
        )
    # The row first: a provider is asked for the same end, however often.
    await provider.extend(lease.id, end)
    _log.info(LEASE_EXTENDED, job=job_id, lease=lease.id, end=end.isoformat())
    return end


async def begun_anew(
    parts: Parts, request: JobRequest, reservation: Reservation, *, at_least: timedelta
) -> Reservation:
    """Return the reservation with its whole time, if less than ``at_least`` is left of it.

    Only before anything was done with the machine: its time passed while the service was down.
    """
    ends = await parts.leases.ends((reservation.lease_id,))
    end = ends.get(reservation.lease_id, reservation.expires_at)
    now = datetime.now(UTC)
    if end - now > at_least:
        return reservation.model_copy(update={"expires_at": end})
    until = now + request.options.hours * _HOUR
    _log.warning(LEASE_BEGUN_ANEW, lease=reservation.lease_id, end=until.isoformat())
    return await parts.provider.extend(reservation.lease_id, until)
