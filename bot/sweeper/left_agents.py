"""Agents that were left on a machine when it died under their jobs are ended when it is back.

Whoever reserves such a machine ends them first, too; but nobody may, for as long as it stays idle.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from bot.errors import PtqError
from bot.investigation.cleaning import visiting
from bot.investigation.moving import end_haunting
from bot.sweeper.apart import apart

if TYPE_CHECKING:
    from bot.investigation import Parts

MACHINE_STILL_AWAY = "machine_still_away"

_VISIT = timedelta(minutes=1)
"""For one machine: to answer, and to end what is left."""

_log = structlog.stdlib.get_logger(__name__)


class LeftAgents:
    """The pass over the machines that died under a job."""

    def __init__(self, parts: Parts) -> None:
        """Visit the machines of the provider of these parts."""
        self._parts = parts

    async def run(self) -> dict[str, int]:
        """End what was left on those that answer again; return how many there were."""
        machines = await self._parts.leases.haunted_machines()
        return {"ended": await apart({machine: self._visit(machine) for machine in machines})}

    async def _visit(self, machine: str) -> int:
        place = visiting(self._parts, machine)
        if place is None:
            return 0
        try:
            async with asyncio.timeout(_VISIT.total_seconds()):
                return await end_haunting(self._parts, place)
        except (PtqError, TimeoutError) as error:
            _log.info(MACHINE_STILL_AWAY, machine=machine, reason=str(error))
            return 0
