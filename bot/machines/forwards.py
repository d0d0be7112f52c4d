"""The ports of a machine's loopback that lead to ours, held over reconnections."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

import asyncssh
import structlog

from bot.errors import MachineError
from bot.machines.reaching import backoff, reaching

if TYPE_CHECKING:
    from bot.machines.connections import Connection

FORWARD_LOST = "machine_forward_lost"
FORWARD_RESTORED = "machine_forward_restored"

_LOOPBACK = "127.0.0.1"
_ATTEMPTS = 4

_log = structlog.stdlib.get_logger(__name__)


@dataclass(slots=True)
class _Forward:
    """One port, and the connection that holds it."""

    port: int
    remote_port: int
    client: asyncssh.SSHClientConnection
    listener: asyncssh.SSHListener


class Forwards:
    """The forwards over one machine's connection; they live until the connection is closed."""

    def __init__(self, connection: Connection) -> None:
        """Forward over this connection."""
        self._connection = connection
        self._forwards: dict[int, _Forward] = {}
        self._lock = asyncio.Lock()
        self._keeper: asyncio.Task[None] | None = None

    async def open(self, port: int, *, remote_port: int = 0) -> int:
        """Lead ``remote_port`` of the machine's loopback to our ``port``; return the machine's.

        The same again is the same forward. Raise MachineError when the machine refuses the port.
        """
        async with self._lock:
            for known in self._forwards.values():
                if known.port == port and remote_port in {0, known.remote_port}:
                    return known.remote_port
            replaced = self._forwards.pop(remote_port, None)
            if replaced is not None:
                replaced.listener.close()
                await replaced.listener.wait_closed()
            made = await self._listen(port, remote_port)
            self._forwards[made.remote_port] = made
        if self._keeper is None:
            self._keeper = asyncio.create_task(self._keep())
        return made.remote_port

    async def close(self) -> None:
        """End every forward, with its connection."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait({self._keeper})
        self._forwards.clear()

    async def _listen(self, port: int, remote_port: int) -> _Forward:
        """Ask for the port; an older connection may hold it until the machine notices its end."""
        name = self._connection.machine.name
        client = await self._connection.client()
        for attempt in range(_ATTEMPTS):
            if attempt:
                await asyncio.sleep(backoff(attempt))
            try:
                with reaching(name):
                    listener = await client.forward_remote_port(
                        _LOOPBACK, remote_port, _LOOPBACK, port
                    )
            except asyncssh.ChannelListenError:
                if remote_port:
                    continue
                break
            return _Forward(port, listener.get_port(), client, listener)
        raise MachineError(f"machine {name} refuses to forward a port of its loopback")

    async def _keep(self) -> None:
        """Open the forwards again after each reconnection, and reconnect for their sake."""
        name = self._connection.machine.name
        attempt = 0
        while True:
            try:
                client = await self._connection.client()
                await self._restore(client)
            except MachineError:
                _log.warning(FORWARD_LOST, machine=name, attempt=attempt)
                await asyncio.sleep(backoff(attempt))
                attempt += 1
                continue
            attempt = 0
            await client.wait_closed()

    async def _restore(self, client: asyncssh.SSHClientConnection) -> None:
        async with self._lock:
            for forward in list(self._forwards.values()):
                if forward.client is client:
                    continue
                self._forwards[forward.remote_port] = await self._listen(
                    forward.port, forward.remote_port
                )
                _log.info(
                    FORWARD_RESTORED,
                    machine=self._connection.machine.name,
                    remote_port=forward.remote_port,
                )
