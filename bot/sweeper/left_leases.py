"""Leases that no living job owns are given back, until their provider says that they are.

A lease whose time is over while its job goes on is that job's own affair: the agent's deadline, the
proof and the machine's steps all end before it. It is counted in the log.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from bot.errors import PtqError
from bot.investigation.lease_ids import run_of_lease
from bot.investigation.records import Prepared
from bot.sweeper.apart import apart
from bot.workspace.layout import Layout

if TYPE_CHECKING:
    from bot.investigation import Parts, Steps
    from bot.models import JobId
    from bot.store import Lease

LEASE_SWEPT = "lease_swept"
LEASE_NOT_RELEASED = "lease_not_released"
AGENT_NOT_STOPPED = "agent_not_stopped"

_STOPPING = timedelta(minutes=1)
"""For an agent that may still be on the machine; one that cannot be reached keeps nothing back."""
_RELEASING = timedelta(minutes=1)
"""For a provider to answer; it is asked again by the next pass."""

_log = structlog.stdlib.get_logger(__name__)


class LeftLeases:
    """The pass over the leases that are not released."""

    def __init__(self, parts: Parts, steps: Steps) -> None:
        """Give them back to the provider of these parts."""
        self._parts = parts
        self._steps = steps

    async def run(self) -> dict[str, int]:
        """Give back what is left; return how many there were, and how many are overdue."""
        overdue = 0
        now = datetime.now(UTC)
        left: list[Lease] = []
        for lease in await self._parts.leases.living():
            if await self._is_left(lease):
                left.append(lease)
            else:
                overdue += lease.machine is not None and lease.expires_at < now
        released = await apart({lease.id: self._release(lease) for lease in left})
        return {"released": released, "overdue": overdue}

    async def give_back(self, job_id: JobId) -> None:
        """Give back every lease of a job; what cannot be now is left to the next pass."""
        living = await self._parts.leases.living()
        await apart({lease.id: self._release(lease) for lease in living if lease.job_id == job_id})

    async def _is_left(self, lease: Lease) -> bool:
        """Whether its job has ended, or is in a later run."""
        job = await self._parts.jobs.get(lease.job_id)
        return job.state.is_end or run_of_lease(lease.id, lease.job_id) < job.request.run

    async def _release(self, lease: Lease) -> bool:
        provider = self._parts.provider
        if lease.provider == provider.name:
            await self._stop_agent(lease)
            try:
                async with asyncio.timeout(_RELEASING.total_seconds()):
                    await provider.release(lease.id)
            except (PtqError, TimeoutError) as error:
                _log.warning(LEASE_NOT_RELEASED, lease=lease.id, reason=str(error))
                return False
        elif lease.expires_at > datetime.now(UTC):
            # Of a provider that the settings name no more: its own end has to come first.
            return False
        await self._parts.leases.release(lease.id)
        _log.warning(LEASE_SWEPT, lease=lease.id, job=lease.job_id, machine=lease.machine)
        return True

    async def _stop_agent(self, lease: Lease) -> None:
        """End what may still run there, before the machine is another job's."""
        try:
            async with asyncio.timeout(_STOPPING.total_seconds()):
                reservation = await self._parts.provider.look_up(lease.id)
                if reservation is None:
                    return
                async with self._parts.provider.shell(reservation) as shell:
                    layout = Layout(await shell.expand(reservation.workspace))
                prepared = Prepared(paths=layout.job(lease.job_id))
                for attempt in range(1, self._steps.retries + 2):
                    await self._steps.stop_agent(
                        lease.job_id, reservation, prepared, attempt=attempt
                    )
        except (PtqError, TimeoutError) as error:
            _log.warning(AGENT_NOT_STOPPED, lease=lease.id, reason=str(error))
