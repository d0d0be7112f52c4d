"""A wire to a server on this computer that can hang: nothing arrives any more, and nothing closes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType

_LOOPBACK = "127.0.0.1"
_PIECE = 1 << 16


class Wire:
    """Carries connections to a port; ``async with`` opens it."""

    def __init__(self, port: int) -> None:
        """Lead to this port."""
        self._target = port
        self._flows = asyncio.Event()
        self._flows.set()
        self._server: asyncio.Server | None = None
        self._carrying: set[asyncio.Task[None]] = set()

    @property
    def port(self) -> int:
        """Where to connect."""
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    def hang(self) -> None:
        """Carry nothing any more, in either direction; connections stand, new ones too."""
        self._flows.clear()

    def flow(self) -> None:
        """Carry again."""
        self._flows.set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accepted, _LOOPBACK, 0)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._carrying:
            task.cancel()
        await asyncio.gather(*self._carrying, return_exceptions=True)

    async def _accepted(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        try:
            far, there = await asyncio.open_connection(_LOOPBACK, self._target)
        except OSError:
            back.close()
            return
        for source, target in ((near, there), (far, back)):
            task = asyncio.create_task(self._carry(source, target))
            self._carrying.add(task)
            task.add_done_callback(self._carrying.discard)

    async def _carry(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(_PIECE):
                await self._flows.wait()
                target.write(data)
                await target.drain()
        except OSError:
            return
        finally:
            target.close()
