"""Machines behind a fence: a process that may have been taken over changes nothing on them."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from bot.machines.base import DEFAULT_TIMEOUT

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence
    from datetime import datetime, timedelta

    from bot.fence import Fence
    from bot.machines.base import Chunk, Completed, FileStat, MachineProvider, Shell
    from bot.models import GpuRequest, LeaseId, Offer, Reservation


class FencedProvider:
    """A ``MachineProvider`` that asks the fence before what changes anything; raises Fenced."""

    def __init__(self, provider: MachineProvider, fence: Fence) -> None:
        """Hand on to this provider while the fence is open."""
        self._provider = provider
        self._fence = fence

    @property
    def name(self) -> str:
        """How the settings call it."""
        return self._provider.name

    @property
    def offers(self) -> Sequence[Offer] | None:
        """See ``MachineProvider.offers``."""
        return self._provider.offers

    def check(self, request: GpuRequest) -> None:
        """See ``MachineProvider.check``."""
        self._provider.check(request)

    async def reserve(self, lease_id: LeaseId, request: GpuRequest) -> Reservation:
        """See ``MachineProvider.reserve``."""
        self._fence.check()
        return await self._provider.reserve(lease_id, request)

    async def look_up(self, lease_id: LeaseId) -> Reservation | None:
        """See ``MachineProvider.look_up``."""
        return await self._provider.look_up(lease_id)

    async def extend(self, lease_id: LeaseId, until: datetime) -> Reservation:
        """See ``MachineProvider.extend``."""
        self._fence.check()
        return await self._provider.extend(lease_id, until)

    async def release(self, lease_id: LeaseId) -> None:
        """See ``MachineProvider.release``."""
        self._fence.check()
        await self._provider.release(lease_id)

    @asynccontextmanager
    async def shell(self, reservation: Reservation) -> AsyncGenerator[Shell]:
        """See ``MachineProvider.shell``."""
        async with self._provider.shell(reservation) as shell:
            yield FencedShell(shell, self._fence)

    async def close(self) -> None:
        """See ``MachineProvider.close``."""
        await self._provider.close()


class FencedShell:
    """A ``Shell`` that asks the fence before a command or a writing; reading is free."""

    def __init__(self, shell: Shell, fence: Fence) -> None:
        """Hand on to this shell while the fence is open."""
        self._shell = shell
        self._fence = fence

    async def run(
        self,
        *argv: str,
        cwd: str | None = None,
        env: Mapping[str, str] | None = None,
        stdin: bytes | None = None,
        timeout: timedelta = DEFAULT_TIMEOUT,  # noqa: ASYNC109 -- the remote command's own limit
        check: bool = True,
    ) -> Completed:
        """See ``Shell.run``."""
        self._fence.check()
        return await self._shell.run(
            *argv, cwd=cwd, env=env, stdin=stdin, timeout=timeout, check=check
        )

    async def write(self, path: str, data: bytes | str, *, mode: int = 0o644) -> None:
        """See ``Shell.write``."""
        self._fence.check()
        await self._shell.write(path, data, mode=mode)

    async def read(self, path: str, *, limit: int, offset: int = 0) -> bytes:
        """See ``Shell.read``."""
        return await self._shell.read(path, limit=limit, offset=offset)

    async def stat(self, path: str) -> FileStat | None:
        """See ``Shell.stat``."""
        return await self._shell.stat(path)

    def tail(self, path: str, *, offset: int = 0) -> AsyncGenerator[Chunk]:
        """See ``Shell.tail``."""
        return self._shell.tail(path, offset=offset)

    async def expand(self, path: str) -> str:
        """See ``Shell.expand``."""
        return await self._shell.expand(path)

    async def forward(self, port: int, *, remote_port: int = 0) -> int:
        """See ``Shell.forward``."""
        self._fence.check()
        return await self._shell.forward(port, remote_port=remote_port)
