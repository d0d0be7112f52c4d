"""Many logs of one machine are followed over one session, whatever the machine says in it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, strategies as st

from bot.errors import MachineError
from bot.machines.connections import Connections
from bot.machines.frames import MAX_NOISE, Frame, Frames, Kind
from bot.machines.ssh import SshShell
from bot.remote import follower
from bot.remote.follower import GREETING, HEADER, PIECE, WINDOW
from tests.fakes import ground as grounds
from tests.fakes.machine import FakeMachine

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from bot.machines.base import Shell
    from tests.fakes.ground import Ground

ground = grounds.ground

FILES = 100


async def test_a_hundred_logs_are_followed_at_once(ground: Ground) -> None:
    """Each reader gets its own file's bytes, from its own offset, whole and in order."""
    parts = [[os.urandom(3_000 + 7 * number) for _ in range(3)] for number in range(FILES)]

    async def read(number: int) -> bytes:
        wanted = sum(map(len, parts[number])) - number
        return await _bytes(ground.shell, f"~/log-{number}", wanted, offset=number)

    readers = [asyncio.create_task(read(number)) for number in range(FILES)]
    for turn in range(3):
        for number in range(FILES):
            with (ground.home / f"log-{number}").open("ab") as log:
                log.write(parts[number][turn])
        await asyncio.sleep(0)

    for number, reader in enumerate(readers):
        assert await reader == b"".join(parts[number])[number:]


async def test_all_logs_of_a_machine_take_one_session(tmp_path: Path) -> None:
    """However many agents run there, the machine looks at their logs with one program."""
    connections = Connections()
    async with FakeMachine(tmp_path) as machine:
        for number in range(FILES):
            (machine.home / f"log-{number}").write_text("text")
        shell = SshShell(connections.to(machine.settings))

        await asyncio.gather(*(_bytes(shell, f"~/log-{number}", 4) for number in range(FILES)))

        assert sum("python3" in line for line in machine.commands) == 1
        await connections.close()


async def test_a_log_that_nobody_reads_holds_up_no_other(ground: Ground) -> None:
    """A huge log fills its own window and nothing else."""
    huge = os.urandom(20 * WINDOW)
    (ground.home / "huge").write_bytes(huge)
    async with aclosing(ground.shell.tail("~/huge")) as chunks:
        got = (await anext(chunks)).data
        (ground.home / "log").write_bytes(b"a line\n")

        assert await _bytes(ground.shell, "~/log", 7) == b"a line\n"

        while len(got) < len(huge):
            got += (await anext(chunks)).data
        assert got == huge


async def test_a_follower_that_was_killed_is_started_again(tmp_path: Path) -> None:
    """A log goes on at its offset after the machine ended the program that looks at it."""
    async with _machine_with_python(
        tmp_path, f'echo $$ >>"$HOME/pids"; exec {sys.executable} "$@"'
    ) as (machine, shell):
        (machine.home / "log").write_bytes(b"first ")
        async with aclosing(shell.tail("~/log")) as chunks:
            assert (await anext(chunks)).data == b"first "
            os.kill(int((machine.home / "pids").read_text()), signal.SIGKILL)
            with (machine.home / "log").open("ab") as log:
                log.write(b"second")
            chunk = await anext(chunks)

        assert (chunk.offset, chunk.data) == (6, b"second")
        assert len((machine.home / "pids").read_text().split()) == 2


async def test_a_machine_without_python3_is_told(tmp_path: Path) -> None:
    """The operator reads what the machine lacks."""
    async with _machine_with_python(tmp_path, "exit 127") as (_, shell):
        with pytest.raises(MachineError) as error:
            await _bytes(shell, "~/log", 1)

    assert str(error.value) == (
        "machine machine: logs cannot be followed: it needs python3, 3.9 or newer"
    )


async def test_what_a_shell_says_first_is_left_out(tmp_path: Path) -> None:
    """A login's greeting is no part of a log."""
    script = f'echo "Welcome to the machine"; exec {sys.executable} "$@"'
    async with _machine_with_python(tmp_path, script) as (machine, shell):
        (machine.home / "log").write_text("text")

        assert await _bytes(shell, "~/log", 4) == b"text"


@pytest.mark.parametrize(
    ("says", "why"),
    [
        (HEADER.pack(b"d", 1, 7, 4) + b"text", "sends what was not asked for"),
        (HEADER.pack(b"d", 1, 0, 0), "sends what was not asked for"),
        (HEADER.pack(b"d", 1, 0, PIECE + 1), "says what cannot be understood"),
        (HEADER.pack(b"x", 1, 0, 4) + b"text", "says what cannot be understood"),
        (HEADER.pack(b"e", 1, 0, 8) + b"is\n\x1b[1m!", "log is[1m!"),
        (
            b"".join(
                HEADER.pack(b"d", 1, number * PIECE, PIECE) + bytes(PIECE)
                for number in range(10 * WINDOW // PIECE)
            ),
            "sends what was not asked for",
        ),
    ],
    ids=["another place", "nothing", "too long", "another kind", "control characters", "too much"],
)
async def test_a_lying_follower_is_not_believed(tmp_path: Path, says: bytes, why: str) -> None:
    """Bytes that were not asked for, or more than may wait, end the following with an error."""
    greeting, lies = tmp_path / "greeting", tmp_path / "lies"
    greeting.write_bytes(GREETING)
    lies.write_bytes(HEADER.pack(b"d", 999, 0, 4) + b"spam" + says)
    script = f"cat {greeting}; read -r line; cat {lies}; exec cat >&2"
    async with _machine_with_python(tmp_path, script) as (
        _,
        shell,
    ):
        with pytest.raises(MachineError, match="machine machine: ") as error:
            await _bytes(shell, "~/log", 10 * WINDOW, pause=True)

    assert str(error.value).endswith(why)


@given(st.lists(st.tuples(st.integers(0, 9), st.binary(max_size=40))), st.integers(1, 50))
def test_frames_are_cut_wherever_the_stream_is(pieces: list[tuple[int, bytes]], size: int) -> None:
    """Frames come out as they went in, however the network cuts them."""
    stream = b"noise" + GREETING
    for number, data in pieces:
        stream += HEADER.pack(follower.DATA, number, 5, len(data)) + data
    frames = Frames()
    got: list[Frame] = []
    for start in range(0, len(stream), size):
        got += frames.feed(stream[start : start + size])

    assert got == [Frame(Kind.DATA, number, 5, data) for number, data in pieces]


def test_noise_without_end_is_refused() -> None:
    """What never greets does not fill the memory."""
    frames = Frames()
    frames.feed(b"x" * MAX_NOISE)

    with pytest.raises(MachineError, match="says too much"):
        frames.feed(b"x")


async def test_the_follower_ends_with_its_session(tmp_path: Path) -> None:
    """When the connection is lost nothing of it stays on the machine."""
    (tmp_path / "log").write_text("text")
    (tmp_path / "link").symlink_to(tmp_path / "log")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", follower.__file__),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    if process.stdin is None or process.stdout is None:
        raise AssertionError("a process with pipes")
    for command in (
        ["follow", 1, str(tmp_path / "log"), 1],
        ["follow", 2, str(tmp_path / "link"), 0],
        ["forget", 3],
    ):
        process.stdin.write(json.dumps(command).encode() + b"\n")
    frames = Frames()
    said: list[Frame] = []
    while len(said) < 2:
        said += frames.feed(await process.stdout.read(PIECE))
    process.stdin.close()

    assert await process.wait() == 0
    assert said == [
        Frame(Kind.DATA, 1, 1, b"ext"),
        Frame(Kind.ERROR, 2, 0, b"is not a regular file"),
    ]


async def _bytes(
    shell: Shell, path: str, length: int, *, offset: int = 0, pause: bool = False
) -> bytes:
    """Follow a file until there are so many bytes; ``pause`` leaves what comes to wait first."""
    got = b""
    async with aclosing(shell.tail(path, offset=offset)) as chunks:
        async for chunk in chunks:
            assert chunk.offset == offset + len(got)
            got += chunk.data
            if len(got) >= length:
                break
            if pause:
                await asyncio.sleep(0.1)
    return got


@asynccontextmanager
async def _machine_with_python(
    directory: Path, script: str
) -> AsyncGenerator[tuple[FakeMachine, SshShell]]:
    """Start a machine on which ``python3`` is this shell script."""
    programs = directory / "programs"
    programs.mkdir()
    program = programs / "python3"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    connections = Connections()
    path = f"{programs}:{os.environ['PATH']}"
    async with FakeMachine(directory, environment={"PATH": path}) as machine:
        yield machine, SshShell(connections.to(machine.settings))
        await connections.close()
