"""What a job left on machines is removed, and what it still holds is given back."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from bot.commands.code import code
from bot.errors import MachineError, Refusal, WorkspaceError
from bot.investigation.moving import end_haunting
from bot.models import LeaseId, Reservation
from bot.workspace import worktree
from bot.workspace.layout import Layout

if TYPE_CHECKING:
    from bot.investigation.parts import Parts, Visitor
    from bot.machines.base import MachineProvider
    from bot.models import JobId
    from bot.store import Job, Leases

JOB_CLEANED = "job_cleaned"
JOB_NOT_CLEANED = "job_not_cleaned"

_REMOVING = timedelta(minutes=5)
"""For a worktree and an environment of some ten thousand files, once the machine answers."""
_log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What became of each machine that a job was on."""

    removed: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()
    """They did not answer, or not in time: its files may still be there."""
    gone: tuple[str, ...] = ()
    """They are no machines of ours any more."""


async def clean(parts: Parts, job: Job) -> Cleaned:
    """Remove the directory and worktree of an ended job; raise Refusal for one that runs.

    Its report and patch stay in the database. Doing it again is fine.
    """
    await _require_ended(parts, job)
    await let_go(parts.leases, parts.provider, job.id)
    removed: list[str] = []
    silent: list[str] = []
    gone: list[str] = []
    for machine in await machines_of(parts.leases, job):
        place = visiting(parts, machine)
        if place is None:
            gone.append(machine)
            continue
        await _require_ended(parts, job)
        (removed if await _remove(parts, job, place) else silent).append(machine)
    return Cleaned(tuple(removed), tuple(silent), tuple(gone))


async def machines_of(leases: Leases, job: Job) -> list[str]:
    """Return every machine that a job was on: in its earlier runs, and before one died under it."""
    now = [] if job.machine is None else [job.machine]
    return list(dict.fromkeys([*now, *await leases.machines(job.id)]))


async def let_go(leases: Leases, lender: MachineProvider, job_id: JobId) -> None:
    """Give back what a job still holds."""
    for lease in await leases.living():
        if lease.job_id == job_id:
            await lender.release(lease.id)
            await leases.release(lease.id)


def visiting(parts: Visitor, machine: str) -> Reservation | None:
    """Return what opens a shell on a machine of ours that is not reserved for it, or None."""
    offers = parts.provider.offers or ()
    offer = next((offer for offer in offers if offer.machine == machine), None)
    if offer is None:
        return None
    return Reservation(
        lease_id=LeaseId(f"visit/{machine}"),
        provider=parts.provider.name,
        machine=machine,
        gpu_type=offer.gpu_type,
        gpus=0,
        expires_at=datetime.now(UTC) + _REMOVING,
        workspace=offer.workspace,
    )


async def _remove(parts: Parts, job: Job, place: Reservation) -> bool:
    patience = parts.settings.machine_patience.total_seconds()
    try:
        # An agent that was left there when its machine died: its files are what it is found by.
        await end_haunting(parts, place)
        async with parts.provider.shell(place) as shell:
            async with asyncio.timeout(patience):
                layout = Layout(await shell.expand(place.workspace))
            async with asyncio.timeout(_REMOVING.total_seconds()):
                await worktree.remove(shell, layout, job.id)
    except (MachineError, WorkspaceError, TimeoutError) as error:
        _log.warning(JOB_NOT_CLEANED, job=job.id, machine=place.machine, reason=str(error))
        return False
    _log.info(JOB_CLEANED, job=job.id, machine=place.machine)
    return True


async def _require_ended(parts: Parts, job: Job) -> None:
    if await parts.jobs.is_unfinished(job.id):
        raise Refusal(
            f"job {code(job.id, limit=128)} is running, and its files are in use: "
            "`/ptq kill` stops it."
        )
