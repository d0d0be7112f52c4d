"""The slots of machines that we know by name, lent by leases in the database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from bot.errors import MachineError, NoMachine
from bot.models import Reservation

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bot.models import GpuRequest, LeaseId, Offer


class LeaseBook(Protocol):
    """Where leases are written down (``bot.store.Leases``); the caller opened the row before."""

    async def claim(
        self, lease_id: LeaseId, slots: Sequence[tuple[str, int]], /
    ) -> tuple[str, int] | None:
        """Bind the lease to a free slot of (machine, how many), or return what it is bound to."""
        ...

    async def machine(self, lease_id: LeaseId, /) -> tuple[str, int, datetime] | None:
        """Return (machine, slot, end) of a living, bound lease."""
        ...

    async def extend(self, lease_id: LeaseId, until: datetime, /) -> None:
        """Move a living lease's end; raise MachineError when it is released."""
        ...

    async def release(self, lease_id: LeaseId, /) -> None:
        """Free the slot for ever."""
        ...


class Slots:
    """Who lends the slots of these machines; the part that the pool and the local machine share."""

    def __init__(self, *, provider: str, offers: Sequence[Offer], leases: LeaseBook) -> None:
        """Lend these machines, the smallest that fits first."""
        self._provider = provider
        self._offers = sorted(offers, key=lambda offer: offer.gpus)
        self._leases = leases

    async def reserve(self, lease_id: LeaseId, request: GpuRequest) -> Reservation:
        """Bind the lease to a slot; see ``MachineProvider.reserve``."""
        fitting = self.fitting(request)
        slots = [(offer.machine, offer.slots) for offer in fitting]
        if await self._leases.claim(lease_id, slots) is None:
            names = ", ".join(offer.machine for offer in fitting)
            raise NoMachine(f"every slot is taken: {names}")
        return await self._living(lease_id)

    @property
    def offers(self) -> Sequence[Offer]:
        """The machines, the smallest first."""
        return self._offers

    def fitting(self, request: GpuRequest) -> Sequence[Offer]:
        """Return the machines of which one would do; see ``MachineProvider.check``."""
        fitting = [offer for offer in self._offers if offer.fits(request)]
        if not fitting:
            raise NoMachine(self._nothing_fits(request), final=True)
        return fitting

    async def look_up(self, lease_id: LeaseId) -> Reservation | None:
        """Return the living reservation, or None; MachineError when the machine is not listed."""
        found = await self._leases.machine(lease_id)
        if found is None:
            return None
        machine, slot, end = found
        offer = next((offer for offer in self._offers if offer.machine == machine), None)
        if offer is None:
            raise MachineError(f"machine {machine} is not in the settings any more")
        return Reservation(
            lease_id=lease_id,
            provider=self._provider,
            machine=machine,
            gpu_type=offer.gpu_type,
            gpus=offer.gpus,
            expires_at=end,
            workspace=offer.workspace,
            slot=slot,
        )

    async def extend(self, lease_id: LeaseId, until: datetime) -> Reservation:
        """Move the end; see ``MachineProvider.extend``."""
        await self._leases.extend(lease_id, until)
        return await self._living(lease_id)

    async def release(self, lease_id: LeaseId) -> None:
        """Free the slot; fine when it is free."""
        await self._leases.release(lease_id)

    async def _living(self, lease_id: LeaseId) -> Reservation:
        reservation = await self.look_up(lease_id)
        if reservation is None:
            raise MachineError(f"lease {lease_id} is released, or has no machine")
        return reservation

    def _nothing_fits(self, request: GpuRequest) -> str:
        wanted = f"{request.gpus} × {request.gpu_type}"  # noqa: RUF001 -- as people write it
        if request.machine is not None:
            wanted = f"{request.machine} with {request.gpus} GPUs"
        there = ", ".join(str(offer) for offer in self._offers)
        return f"asked for {wanted}, there is {there}"
