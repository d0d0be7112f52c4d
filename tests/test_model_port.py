"""The port at which an agent finds the model, when another process takes its run over."""

from __future__ import annotations

import asyncio
import gc
import sys
import warnings
from contextlib import aclosing, closing
from typing import TYPE_CHECKING, Self

import pytest

from bot.agents import model_port
from bot.machines.connections import Connections
from bot.machines.ssh import SshShell
from tests.fakes.machine import FakeMachine
from tests.fakes.sshd import RealSshd

if TYPE_CHECKING:
    from collections.abc import Generator

    from tests.fakes.sshd import Machine


class Gateway:
    """Somebody who listens on a port of ours, and says who it is."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._server: asyncio.Server | None = None
        self.port = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accepted, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_error: object) -> None:
        assert self._server is not None
        self._server.close()

    async def _accepted(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(self._name.encode())
        writer.close()


async def answers(port: int, name: str) -> None:
    """Ask at a port of the machine as an agent does, until the one with this name answers."""
    said = b""
    while said != name.encode():
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            with closing(writer):
                said = await reader.read()
        except OSError:
            await asyncio.sleep(0.05)


@pytest.fixture(autouse=True)
def _cut_forwards() -> Generator[None]:
    """Let go of what asyncssh may leave: the gateway's end of a forward whose SSH was cut."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


async def test_a_process_that_holds_the_port_is_put_aside(machine: Machine) -> None:
    """Its connection stands, and nothing comes over it: the next process leads the agent on."""
    frozen, next_one = Connections(), Connections()
    leading = {"directory": str(machine.home), "python": sys.executable}
    async with Gateway("frozen") as old, Gateway("next") as new:
        connection = frozen.to(machine.settings)
        # Without what would open the forward again, as nothing does in a process that is frozen.
        client = await connection.client()
        forward = await client.forward_remote_port("127.0.0.1", 0, "127.0.0.1", old.port)
        port = forward.get_port()
        await answers(port, "frozen")
        shell = SshShell(connection)
        async with model_port.kept(shell, port, gateway=old.port, **leading):
            if isinstance(machine, RealSshd):
                async with aclosing(shell.tail(f"{machine.home}/model-port.json")) as chunks:
                    await anext(chunks)
        shell = SshShell(next_one.to(machine.settings))
        async with model_port.kept(shell, port, gateway=new.port, **leading):
            if isinstance(machine, FakeMachine):
                # Not OpenSSH: the port is free when the machine finds out by itself.
                client.abort()
            await answers(port, "next")
    await frozen.close()
    await next_one.close()
