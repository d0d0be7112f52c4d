"""Ports of our loopback that lead to another: what an agent of an earlier bot still calls."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial

from bot.errors import MachineError

_LOOPBACK = "127.0.0.1"
_PIECE = 1 << 16


class Relays:
    """The relays of one process, by the port they listen on."""

    def __init__(self) -> None:
        """Relay nothing yet."""
        self._ports: dict[int, int] = {}
        self._servers: dict[int, asyncio.Server] = {}
        self._running: set[asyncio.Task[None]] = set()

    async def open(self, port: int, *, remote_port: int) -> int:
        """Lead ``remote_port`` to ``port``, both of our loopback; asked again, to another port.

        Raise MachineError when ``remote_port`` is taken.
        """
        if remote_port not in self._servers:
            try:
                self._servers[remote_port] = await asyncio.start_server(
                    partial(self._accepted, remote_port), _LOOPBACK, remote_port
                )
            except OSError as error:
                message = f"port {remote_port} of the loopback is taken"
                raise MachineError(message) from error
        self._ports[remote_port] = port
        return remote_port

    async def close(self) -> None:
        """Listen no more, and end what is relayed."""
        for server in self._servers.values():
            server.close()
        self._servers.clear()
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def _accepted(
        self, remote_port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        task = asyncio.create_task(_relay(reader, writer, self._ports[remote_port]))
        self._running.add(task)
        task.add_done_callback(self._running.discard)


async def _relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int) -> None:
    """Copy both ways until both sides have said everything, or one is lost."""
    try:
        with suppress(OSError):
            other_reader, other_writer = await asyncio.open_connection(_LOOPBACK, port)
            try:
                await asyncio.gather(_copy(reader, other_writer), _copy(other_reader, writer))
            finally:
                other_writer.close()
    finally:
        writer.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(_PIECE):
        writer.write(data)
        await writer.drain()
    writer.write_eof()
