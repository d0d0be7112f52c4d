"""The pool: machines listed in the settings, reached by SSH."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from bot.errors import MachineError
from bot.machines.connections import Connections
from bot.machines.slots import LeaseBook, Slots
from bot.machines.ssh import PATIENCE, SshShell
from bot.models import Offer

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence
    from datetime import datetime, timedelta

    from bot.machines.base import Shell
    from bot.models import GpuRequest, LeaseId, Reservation
    from bot.settings import MachineSettings


class PoolProvider:
    """A ``MachineProvider`` over a list of machines."""

    name = "pool"

    def __init__(
        self,
        machines: Sequence[MachineSettings],
        leases: LeaseBook,
        *,
        patience: timedelta = PATIENCE,
    ) -> None:
        """Lend these machines; nothing connects yet. ``patience`` is that of following a file."""
        self._patience = patience
        self._machines = {machine.name: machine for machine in machines}
        self._connections = Connections()
        self._slots = Slots(
            provider=self.name,
            offers=[
                Offer(
                    machine=machine.name,
                    gpu_type=machine.gpu_type,
                    gpus=machine.gpus,
                    slots=machine.slots,
                    workspace=machine.workspace,
                )
                for machine in machines
            ],
            leases=leases,
        )

    @property
    def offers(self) -> Sequence[Offer]:
        """What it lends; see ``MachineProvider.offers``."""
        return self._slots.offers

    def check(self, request: GpuRequest) -> None:
        """See that a machine fits; see ``MachineProvider.check``."""
        self._slots.fitting(request)

    async def reserve(self, lease_id: LeaseId, request: GpuRequest) -> Reservation:
        """Reserve a slot and see that its machine answers; see ``MachineProvider.reserve``.

        Raise MachineUnreachable when it does not: the lease holds the slot until it is released.
        """
        reservation = await self._slots.reserve(lease_id, request)
        async with self.shell(reservation) as shell:
            await shell.run("true")
        return reservation

    async def look_up(self, lease_id: LeaseId) -> Reservation | None:
        """Return the living reservation, without asking the machine."""
        return await self._slots.look_up(lease_id)

    async def extend(self, lease_id: LeaseId, until: datetime) -> Reservation:
        """Move the reservation's end; see ``MachineProvider.extend``."""
        return await self._slots.extend(lease_id, until)

    async def release(self, lease_id: LeaseId) -> None:
        """Give the slot back; see ``MachineProvider.release``."""
        await self._slots.release(lease_id)

    @asynccontextmanager
    async def shell(self, reservation: Reservation) -> AsyncGenerator[Shell]:
        """Open a shell over the machine's shared connection."""
        machine = self._machines.get(reservation.machine)
        if machine is None:
            raise MachineError(f"machine {reservation.machine} is not in the settings any more")
        yield SshShell(self._connections.to(machine), patience=self._patience)

    async def close(self) -> None:
        """Close every connection; leases stay."""
        await self._connections.close()
