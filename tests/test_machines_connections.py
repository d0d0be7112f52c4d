"""The connection to a machine: pinned, shared, and made again when it is lost."""

from __future__ import annotations

import asyncio
import os
from contextlib import aclosing
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bot.errors import MachineError, MachineUnreachable
from bot.machines.connections import Connections
from bot.machines.ssh import SshShell
from tests.fakes.machine import FakeMachine
from tests.fakes.processes import gone

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fakes.sshd import Machine


async def test_a_machine_that_is_away_is_told_by_its_name(
    machine: Machine, connections: Connections
) -> None:
    """No host, port or user is in what people read."""
    settings = machine.settings
    await machine.refuse()

    with pytest.raises(MachineUnreachable) as error:
        await SshShell(connections.to(settings)).run("true")

    assert str(error.value) == "machine h100-1 does not answer"


async def test_a_lost_connection_is_made_again(machine: Machine, connections: Connections) -> None:
    """After a loss the next command and the next file go over a new connection."""
    shell = SshShell(connections.to(machine.settings))
    await shell.write("~/file", "text")
    for _ in range(2):
        await machine.drop_connections()
        assert (await shell.run("cat", f"{machine.home}/file")).stdout == "text"
        await machine.drop_connections()
        assert await shell.read("~/file", limit=9) == b"text"


async def test_all_share_one_connection(tmp_path: Path, connections: Connections) -> None:
    """However many ask at once, a machine sees one login."""
    async with FakeMachine(tmp_path) as machine:
        shells = [SshShell(connections.to(machine.settings)) for _ in range(5)]
        await asyncio.gather(*(shell.run("true") for shell in shells))
        await asyncio.gather(*(shell.stat("~/x") for shell in shells))

        assert machine.connections == 1
        await connections.close()


async def test_a_command_whose_connection_is_lost_ends(
    machine: Machine, connections: Connections
) -> None:
    """The caller learns that it is unreachable, and the machine does not go on alone."""
    shell = SshShell(connections.to(machine.settings))
    script = 'echo $$ >"$HOME/new"; mv "$HOME/new" "$HOME/pid"; sleep 600'
    command = asyncio.create_task(shell.run("sh", "-c", script))
    async with aclosing(shell.tail("~/pid")) as chunks:
        pid = int((await anext(chunks)).data)

    await machine.drop_connections()

    with pytest.raises(MachineUnreachable):
        await command
    await gone(pid)


async def test_a_file_is_written_again_after_a_loss(
    machine: Machine, connections: Connections
) -> None:
    """What a lost connection has left of it stands in nobody's way, and is removed."""
    shell = SshShell(connections.to(machine.settings))
    await shell.write("~/file", "old")
    data = os.urandom(40_000_000)
    writing = asyncio.create_task(shell.write("~/file", data))
    while not [*machine.home.glob(".file.*")]:  # noqa: ASYNC110 -- nothing tells of a new file
        await asyncio.sleep(0)

    await machine.drop_connections()

    await writing
    assert (machine.home / "file").read_bytes() == data
    assert not [*machine.home.glob(".file.*")]


async def test_following_goes_on_after_a_loss(machine: Machine, connections: Connections) -> None:
    """A log is followed over lost connections without a lost or a doubled byte."""
    shell = SshShell(connections.to(machine.settings))
    parts = [os.urandom(700_000) for _ in range(5)]
    log = machine.home / "log"
    got = b""
    written = 0

    async with aclosing(shell.tail("~/log")) as chunks:
        for number, part in enumerate(parts):
            _append(log, part)
            written += len(part)
            if number % 2:
                await machine.refuse()
                await machine.drop_connections()
                await machine.accept()
            else:
                await machine.drop_connections()
            while len(got) < written:
                chunk = await anext(chunks)
                assert chunk.offset == len(got)
                got += chunk.data

    assert got == b"".join(parts)


async def test_following_gives_up_when_the_machine_stays_away(
    machine: Machine, connections: Connections
) -> None:
    """After its patience a follower says that the machine is unreachable."""
    shell = SshShell(connections.to(machine.settings), patience=timedelta(seconds=0.2))
    _append(machine.home / "log", b"text")

    async with aclosing(shell.tail("~/log")) as chunks:
        assert (await anext(chunks)).data == b"text"
        await machine.refuse()
        await machine.drop_connections()
        with pytest.raises(MachineUnreachable):
            await anext(chunks)


async def test_a_forwarded_port_survives_a_loss(machine: Machine, connections: Connections) -> None:
    """After a reconnection the same port of the machine leads to us, without anybody asking."""
    shell = SshShell(connections.to(machine.settings))
    reached = asyncio.Queue[bytes]()

    async def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reached.put(await reader.readline())
        writer.write(b"yes\n")
        writer.close()

    server = await asyncio.start_server(accepted, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        remote = await shell.forward(port)
        for number in range(3):
            # A caller on the machine: it tries until it has our answer.
            ask = f"{{ echo {number} >&3; read -r answer <&3; }} 3<>/dev/tcp/127.0.0.1/{remote}"
            script = f"until {ask}; do sleep 0.05; done"
            caller = await asyncio.create_subprocess_exec(
                "bash", "-c", script, stderr=asyncio.subprocess.DEVNULL
            )
            assert await reached.get() == f"{number}\n".encode()
            await caller.wait()
            await machine.drop_connections()


async def test_a_port_of_the_machine_can_lead_to_another_of_ours(
    machine: Machine, connections: Connections
) -> None:
    """A bot that was started anew takes over the port that its agents know."""
    first = SshShell(connections.to(machine.settings))
    again = Connections()
    remote = await first.forward(9)
    await connections.close()

    shell = SshShell(again.to(machine.settings))
    assert await shell.forward(10, remote_port=remote) == remote
    assert await shell.forward(11, remote_port=remote) == remote
    await again.close()


async def test_a_port_that_another_process_holds_is_taken_when_it_is_free(
    machine: Machine, connections: Connections
) -> None:
    """Whoever goes on with a job gets the port that its agent knows as soon as that can be."""
    first = SshShell(connections.to(machine.settings))
    again = Connections()
    remote = await first.forward(9)
    reached = asyncio.Event()

    async def accepted(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reached.set()
        writer.close()

    server = await asyncio.start_server(accepted, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        shell = SshShell(again.to(machine.settings))
        assert await shell.forward(port, remote_port=remote) == remote
        assert (await shell.run("echo", "the rest works")).stdout == "the rest works\n"
        await connections.close()
        script = f"until (exec 3<>/dev/tcp/127.0.0.1/{remote}) 2>/dev/null; do sleep 0.05; done"
        await shell.run("bash", "-c", script)
        await reached.wait()
    await again.close()


async def test_a_link_in_the_way_of_a_log_is_not_followed(
    machine: Machine, connections: Connections
) -> None:
    """An agent that replaces its log by a link shows nothing of the file behind it."""
    (machine.home / "log").symlink_to("/etc/hostname")
    shell = SshShell(connections.to(machine.settings))

    async with aclosing(shell.tail("~/log")) as chunks:
        with pytest.raises(MachineError, match="log is not a regular file"):
            await anext(chunks)


def _append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)
