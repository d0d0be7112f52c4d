"""The ports of a machine's loopback that lead to ours, held over reconnections."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

import asyncssh
import structlog

from bot.errors import MachineError, MachineUnreachable
from bot.machines.reaching import backoff, is_lost, reaching

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from bot.machines.connections import Connection

FORWARD_LOST = "machine_forward_lost"
FORWARD_RESTORED = "machine_forward_restored"
FORWARD_TAKEN = "machine_forward_taken"

_LOOPBACK = "127.0.0.1"
_ATTEMPTS = 4

_log = structlog.stdlib.get_logger(__name__)


@dataclass(slots=True)
class _Forward:
    """One port, and the connection that holds it; without one it is still wanted."""

    port: int
    remote_port: int
    client: asyncssh.SSHClientConnection | None = None
    listener: asyncssh.SSHListener | None = None


class Forwards:
    """The forwards over one machine's connection; they live until the connection is closed."""

    def __init__(self, connection: Connection) -> None:
        """Forward over this connection."""
        self._connection = connection
        self._forwards: dict[int, _Forward] = {}
        self._lock = asyncio.Lock()
        self._keeper: asyncio.Task[None] | None = None
        self._is_wanted = asyncio.Event()

    async def open(self, port: int, *, remote_port: int = 0) -> int:
        """Lead ``remote_port`` of the machine's loopback to our ``port``; return the machine's.

        The same again is the same forward. A port that is wanted and taken is asked for until it is
        free: another process of ours may hold it, alive or frozen, and leads to a gateway as well.
        Raise MachineError when the machine refuses whatever port.
        """
        async with self._lock:
            for known in self._forwards.values():
                if known.port == port and remote_port in {0, known.remote_port}:
                    return known.remote_port
            replaced = self._forwards.pop(remote_port, None)
            if replaced is not None and replaced.listener is not None:
                replaced.listener.close()
                await replaced.listener.wait_closed()
            made = await self._listen(port, remote_port, attempts=_ATTEMPTS)
            if made.client is None:
                if not remote_port:
                    name = self._connection.machine.name
                    raise MachineError(f"machine {name} refuses to forward a port of its loopback")
                self._tell(FORWARD_TAKEN, made)
            self._forwards[made.remote_port] = made
        self._is_wanted.set()
        if self._keeper is None:
            self._keeper = asyncio.create_task(self._keep())
        return made.remote_port

    async def close(self) -> None:
        """End every forward, with its connection."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait({self._keeper})
        self._forwards.clear()

    async def _listen(self, port: int, remote_port: int, *, attempts: int) -> _Forward:
        """Ask for the port; an older connection may hold it until the machine notices its end.

        Return a forward that no connection holds when the machine refuses it.
        """
        client = await self._connection.client()
        for attempt in range(attempts):
            if attempt:
                await asyncio.sleep(backoff(attempt))
            try:
                with reaching(self._connection.machine.name):
                    listener = await client.forward_remote_port(
                        _LOOPBACK, remote_port, _LOOPBACK, port
                    )
            except asyncssh.ChannelListenError as error:
                if await is_lost(client):
                    # It did not refuse: it did not answer any more.
                    name = self._connection.machine.name
                    raise MachineUnreachable(f"machine {name} does not answer") from error
                if remote_port:
                    continue
                break
            return _Forward(port, listener.get_port(), client, listener)
        return _Forward(port, remote_port)

    async def _keep(self) -> None:
        """Open the forwards again after each reconnection, and reconnect for their sake."""
        attempt = 0
        while True:
            self._is_wanted.clear()
            try:
                client = await self._connection.client()
                is_whole = await self._restore(client)
            except MachineError:
                is_whole = False
            else:
                if is_whole:
                    attempt = 0
                    await _first(client.wait_closed(), self._is_wanted.wait())
            if not is_whole:
                name = self._connection.machine.name
                _log.warning(FORWARD_LOST, machine=name, attempt=attempt)
                await asyncio.sleep(backoff(attempt))
                attempt += 1

    async def _restore(self, client: asyncssh.SSHClientConnection) -> bool:
        """Have this connection hold every forward; return whether it does."""
        is_whole = True
        async with self._lock:
            for forward in list(self._forwards.values()):
                if forward.client is client:
                    continue
                attempts = 1 if forward.client is None else _ATTEMPTS
                made = await self._listen(forward.port, forward.remote_port, attempts=attempts)
                self._forwards[forward.remote_port] = made
                if made.client is None:
                    is_whole = False
                else:
                    self._tell(FORWARD_RESTORED, made)
        return is_whole

    def _tell(self, event: str, forward: _Forward) -> None:
        _log.info(event, machine=self._connection.machine.name, remote_port=forward.remote_port)


async def _first(*waits: Coroutine[None, None, object]) -> None:
    """Return when one of them does."""
    tasks = {asyncio.ensure_future(wait) for wait in waits}
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
