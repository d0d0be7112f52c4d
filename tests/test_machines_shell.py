"""Commands: the same over SSH (in the process, and the real OpenSSH) and on our own machine."""

from __future__ import annotations

import asyncio
import hashlib
import os
import signal
from contextlib import aclosing
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bot.errors import CommandFailed, CommandTimedOut
from bot.machines.command import MAX_OUTPUT
from tests.fakes import ground as grounds
from tests.fakes.processes import gone, is_alive

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from bot.machines.base import Shell
    from tests.fakes.ground import Ground

ground = grounds.ground


async def test_words_arrive_as_they_are(ground: Ground) -> None:
    """Nothing in an argument is read by a shell."""
    words = ("it's", "$HOME", "`id`", "a\nb", "", "--", "*", "ü")

    done = await ground.shell.run("printf", "[%s]", *words)

    assert done.stdout == "".join(f"[{word}]" for word in words)
    assert done.exit_status == 0


async def test_a_command_runs_in_its_directory_with_its_variables_and_input(
    ground: Ground,
) -> None:
    """A command gets the working directory, the variables and the stdin it was given."""
    (ground.home / "a dir").mkdir()
    data = bytes(range(256)) * 4000

    where = await ground.shell.run("pwd", cwd="~/a dir")
    variable = await ground.shell.run("printenv", "WORD", env={"WORD": "two words $x"})
    told = await ground.shell.run("sha256sum", stdin=data)
    nothing = await ground.shell.run("cat")

    assert where.stdout == f"{ground.home}/a dir\n"
    assert variable.stdout == "two words $x\n"
    assert told.stdout.split()[0] == _sha256(data)
    assert nothing.stdout == ""


async def test_a_failure_says_how_it_ended(ground: Ground) -> None:
    """A non-zero exit status is an error, unless the caller wants to look at it."""
    with pytest.raises(CommandFailed) as failed:
        await ground.shell.run("sh", "-c", "echo broken >&2; exit 7")
    killed = await ground.shell.run("sh", "-c", "kill -SEGV $$", check=False)
    missing = await ground.shell.run("no-such-program", check=False)
    nowhere = await ground.shell.run("true", cwd="/no/such/directory", check=False)

    assert failed.value.exit_status == 7
    assert failed.value.stderr == "broken\n"
    assert failed.value.argv[0] == "sh"
    assert killed.exit_status == 128 + signal.SIGSEGV
    assert missing.exit_status == 127
    assert nowhere.exit_status == 125


async def test_of_much_output_the_end_is_kept(ground: Ground) -> None:
    """A command that says too much does not fill the memory; both streams are read at once."""
    script = "head -c 25000000 /dev/zero | tr '\\0' x; head -c 300000 /dev/zero >&2; echo last"

    done = await ground.shell.run("sh", "-c", script)

    assert len(done.stdout) == MAX_OUTPUT
    assert done.stdout.endswith("xlast\n")
    assert len(done.stderr) == 300000


async def test_bytes_that_are_no_text_do_not_break_a_command(ground: Ground) -> None:
    """Output that is not UTF-8 is shown with replacement characters."""
    done = await ground.shell.run("printf", "a\\377b")

    assert done.stdout == "a\ufffdb"


async def test_a_command_can_be_interrupted(ground: Ground) -> None:
    """SIGINT and SIGQUIT are not ignored by what is run."""
    done = await ground.shell.run("grep", "SigIgn", "/proc/self/status")

    ignored = int(done.stdout.split()[1], 16)
    assert not ignored & (1 << (signal.SIGINT - 1) | 1 << (signal.SIGQUIT - 1))


async def test_a_time_limit_ends_the_command_and_its_children(ground: Ground) -> None:
    """What outruns its limit is gone when the error is raised, children and all."""
    script = 'echo $$ >"$HOME/parent"; sleep 600 & echo $! >"$HOME/child"; wait'

    with pytest.raises(CommandTimedOut):
        await ground.shell.run("sh", "-c", script, timeout=timedelta(seconds=1))

    for name in ("parent", "child"):
        await gone(int((ground.home / name).read_text()))


async def test_what_a_command_leaves_behind_is_ended(ground: Ground) -> None:
    """A background process does not outlive the command that started it, nor hold it up."""
    done = await ground.shell.run("sh", "-c", "sleep 600 & echo $!")

    await gone(int(done.stdout))


async def test_what_has_its_own_session_lives_on(ground: Ground) -> None:
    """A process in its own session, with its output elsewhere, outlives the command."""
    script = """
        mkfifo "$HOME/started"
        setsid sh -c 'echo $$ >"$HOME/started"; exec sleep 600' </dev/null >/dev/null 2>&1 &
        cat "$HOME/started"
    """
    done = await ground.shell.run("sh", "-c", script)

    pid = int(done.stdout)
    try:
        assert is_alive(pid)
    finally:
        os.kill(pid, signal.SIGKILL)


async def test_a_cancelled_command_ends(ground: Ground) -> None:
    """Nobody waits any more, so the machine does not work any more."""
    task = asyncio.create_task(
        ground.shell.run("sh", "-c", 'echo $$ >"$HOME/pid.new"; mv pid.new pid; sleep 600', cwd="~")
    )
    async with aclosing(_chunks(ground.shell, "~/pid")) as chunks:
        pid = int(await anext(chunks))

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    await gone(pid)


async def test_many_commands_at_once(ground: Ground) -> None:
    """More commands than sshd takes sessions wait for each other."""
    done = await asyncio.gather(*(ground.shell.run("echo", str(i)) for i in range(30)))

    assert [each.stdout for each in done] == [f"{i}\n" for i in range(30)]


async def test_the_machine_reaches_a_port_of_ours(ground: Ground) -> None:
    """A forwarded port leads to a server on the bot's loopback; asking again changes nothing."""
    server = await asyncio.start_server(_greet(b"hello"), "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        remote = await ground.shell.forward(port)

        assert await _said_by(remote) == b"hello"
        assert await ground.shell.forward(port, remote_port=remote) == remote


@pytest.mark.parametrize("arguments", [{"env": {"A B": "c"}}, {"env": {"A": "\0"}}, {"cwd": "\0"}])
async def test_what_no_process_can_be_given_is_refused(
    ground: Ground, arguments: dict[str, Any]
) -> None:
    """A broken variable never becomes a word of the command."""
    with pytest.raises(ValueError, match=r"NUL|variable"):
        await ground.shell.run("true", **arguments)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


async def _chunks(shell: Shell, path: str) -> AsyncGenerator[bytes]:
    async with aclosing(shell.tail(path)) as chunks:
        async for chunk in chunks:
            yield chunk.data


def _greet(
    words: bytes,
) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], None]:
    def accepted(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(words)
        writer.close()

    return accepted


async def _said_by(port: int) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        return await reader.read()
    finally:
        writer.close()
