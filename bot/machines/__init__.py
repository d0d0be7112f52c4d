"""Machines: who lends them, and the shell on one."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from bot.machines.fenced import FencedProvider
from bot.machines.local_provider import LocalProvider
from bot.machines.pool import PoolProvider

if TYPE_CHECKING:
    from bot.fence import Fence
    from bot.machines.base import MachineProvider
    from bot.machines.slots import LeaseBook
    from bot.settings import Settings

__all__ = ["LocalProvider", "PoolProvider", "provider"]


def provider(
    settings: Settings, leases: LeaseBook, *, fence: Fence | None = None
) -> MachineProvider:
    """Return who lends machines according to the settings; nothing connects yet.

    What changes anything there is done only while the ``fence`` is open.
    """
    lending = _lending(settings, leases)
    return lending if fence is None else FencedProvider(lending, fence)


def _lending(settings: Settings, leases: LeaseBook) -> MachineProvider:
    match settings.provider:
        case "pool":
            return PoolProvider(settings.machines, leases, patience=settings.follow_patience)
        case "local":
            return LocalProvider(settings.local, leases)
        case _:
            assert_never(settings.provider)
