"""The machine that ptq itself runs on, as a provider."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from bot.machines.local import LocalShell
from bot.machines.relays import Relays
from bot.machines.slots import LeaseBook, Slots
from bot.models import Offer

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence
    from datetime import datetime

    from bot.machines.base import Shell
    from bot.models import GpuRequest, LeaseId, Reservation
    from bot.settings import LocalSettings


class LocalProvider:
    """A ``MachineProvider`` of one machine, our own."""

    name = "local"

    def __init__(
        self,
        settings: LocalSettings,
        leases: LeaseBook,
        *,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Lend this machine; commands get ``environment``, by default a login's."""
        self._environment = environment
        self._relays = Relays()
        offer = Offer(
            machine=self.name,
            gpu_type=settings.gpu_type,
            gpus=settings.gpus,
            slots=settings.slots,
            workspace=settings.workspace,
        )
        self._slots = Slots(provider=self.name, offers=[offer], leases=leases)

    @property
    def offers(self) -> Sequence[Offer]:
        """What it lends; see ``MachineProvider.offers``."""
        return self._slots.offers

    def check(self, request: GpuRequest) -> None:
        """See that a machine fits; see ``MachineProvider.check``."""
        self._slots.fitting(request)

    async def reserve(self, lease_id: LeaseId, request: GpuRequest) -> Reservation:
        """Reserve a slot; see ``MachineProvider.reserve``."""
        return await self._slots.reserve(lease_id, request)

    async def look_up(self, lease_id: LeaseId) -> Reservation | None:
        """Return the living reservation, or None."""
        return await self._slots.look_up(lease_id)

    async def extend(self, lease_id: LeaseId, until: datetime) -> Reservation:
        """Move the reservation's end; see ``MachineProvider.extend``."""
        return await self._slots.extend(lease_id, until)

    async def release(self, lease_id: LeaseId) -> None:
        """Give the slot back; see ``MachineProvider.release``."""
        await self._slots.release(lease_id)

    @asynccontextmanager
    async def shell(self, reservation: Reservation) -> AsyncGenerator[Shell]:  # noqa: ARG002 -- the port's
        """Open a shell on this machine."""
        yield LocalShell(self._environment, relays=self._relays)

    async def close(self) -> None:
        """End what is relayed; leases stay."""
        await self._relays.close()
