"""What follows when a machine dies under a job: another one, and an end to what it left behind.

An agent lives on without a connection. When its machine answers again, it is ended: by a sweep, or
before by whoever reserves the machine. The job that it belongs to has moved.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from bot.errors import MachineUnreachable, PtqError
from bot.investigation.agent import run_directory, stop_agent
from bot.investigation.lease_ids import lease_of
from bot.investigation.records import Moved, Prepared
from bot.workspace import worktree
from bot.workspace.layout import Layout

if TYPE_CHECKING:
    from bot.investigation.parts import Parts, Visitor
    from bot.machines.base import Shell
    from bot.models import JobId, JobRequest, Reservation
    from bot.store import Lease

MACHINE_LOST = "machine_lost"
AGENT_LAID = "agent_laid"
AGENT_NOT_LAID = "agent_not_laid"

_log = structlog.stdlib.get_logger(__name__)


async def move(parts: Parts, job_id: JobId, *, place: int) -> Moved:
    """Let go of a machine that died; the queue gives the job another one, where there is one."""
    lease_id = lease_of((await parts.jobs.get(job_id)).request, place=place)
    machine = await parts.leases.lose(lease_id)
    await parts.provider.release(lease_id)
    parts.room.look()
    if machine is not None:
        await parts.jobs.lose_machine(job_id, machine)
    _log.warning(MACHINE_LOST, machine=machine, lease=lease_id)
    return Moved(cancelled_by=(await parts.jobs.get(job_id)).kill_requested_by)


async def end_haunting(parts: Visitor, reservation: Reservation) -> int:
    """End the agents that were left on a machine when it died under their jobs; return how many.

    Raise MachineUnreachable: a slot is not lent while such an agent may hold its GPUs.
    """
    left = await parts.leases.haunted(reservation.machine)
    for lease in left:
        try:
            await _lay(parts, reservation, lease)
        except MachineUnreachable:
            raise
        except PtqError as error:
            # What cannot be ended is ended by its own deadline; the log has its job.
            _log.error(AGENT_NOT_LAID, lease=lease.id, reason=str(error))
        else:
            _log.info(AGENT_LAID, lease=lease.id, machine=lease.machine)
        await parts.leases.lay(lease.id)
    return len(left)


async def _lay(parts: Visitor, reservation: Reservation, lease: Lease) -> None:
    there = reservation.model_copy(update={"lease_id": lease.id})
    async with parts.provider.shell(there) as shell:
        layout = Layout(await shell.expand(there.workspace))
        paths = layout.job(lease.job_id)
        if await shell.stat(f"{paths.environment}/bin/python") is None:
            return  # it was not prepared, so nothing was started
    prepared = Prepared(paths=paths)
    for attempt in range(1, parts.settings.proof.retries + 2):
        await stop_agent(parts, lease.job_id, there, prepared, attempt=attempt)


async def begin_anew(
    shell: Shell, layout: Layout, request: JobRequest, reservation: Reservation
) -> None:
    """Remove what the job left here before this machine died under it; nothing of this time."""
    if reservation.lease_id == lease_of(request):
        return
    paths = layout.job(request.job_id)
    before = run_directory(request, paths, lease_id=lease_of(request), attempt=1)
    if await shell.stat(before) is not None:
        await worktree.remove(shell, layout, request.job_id, patience=None)
