"""A run: the agent is started once, and followed to its end."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import aclosing
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bot.agents import runs
from bot.agents.base import Invocation
from bot.errors import AgentError, MachineUnreachable
from bot.machines.connections import Connections
from bot.machines.ssh import SshShell
from tests.fakes import desk as desks
from tests.fakes.desk import Desk, read_log, script
from tests.fakes.machine import FakeMachine
from tests.fakes.processes import is_alive

if TYPE_CHECKING:
    from pathlib import Path

desk = desks.desk


async def test_a_run_is_followed_to_its_end(desk: Desk) -> None:
    """The log is whole, stderr is apart, and the exit status and the times are known."""
    run = desk.run()
    agent = script("cat; echo bad >&2; seq 100000; exit 3", stdin="go\n")

    began = await runs.start(desk.shell, run, agent)
    log = await read_log(desk, run)
    ended = await runs.status(desk.shell, run)

    assert began.state in {"running", "ended"}
    assert log == b"go\n" + "".join(f"{i}\n" for i in range(1, 100001)).encode()
    assert await read_log(desk, run, offset=len(log) - 7) == b"100000\n"
    assert (desk.home / "run-1.log.stderr").read_text() == "bad\n"
    assert ended.state == "ended"
    assert ended.exit_status == 3
    assert not ended.stopped
    assert not ended.timed_out
    assert ended.started_at is not None
    assert ended.ended_at is not None
    assert ended.started_at <= ended.ended_at


async def test_the_agent_has_the_given_environment_and_no_other(desk: Desk) -> None:
    """Nothing of the machine's or the bot's environment reaches the agent but the run's marker."""
    run = desk.run()
    agent = Invocation(
        argv=(sys.executable, "-I", "-c", "print(open('/proc/self/environ').read())"),
        environment={"TOKEN": "short-lived", "ODD": "a=b c"},
        stdin="",
    )

    await runs.start(desk.shell, run, agent)
    variables = (await read_log(desk, run)).decode().strip("\0\n").split("\0")

    assert sorted(variables) == ["ODD=a=b c", f"PTQ_RUN={run.id}", "TOKEN=short-lived"]


async def test_a_token_does_not_stay_on_the_machine(desk: Desk) -> None:
    """The file that starts the agent is gone once it is started; its files are for it alone."""
    run = desk.run()
    agent = script(
        "pwd", environment={"TOKEN": "short-lived"}, files={"~/agent/settings.json": "{}"}
    )

    await runs.start(desk.shell, run, agent)
    await runs.start(desk.shell, run, agent)

    assert await read_log(desk, run) == f"{desk.home}\n".encode()
    assert (desk.home / "agent/settings.json").stat().st_mode & 0o777 == 0o600
    for path in (desk.home / "run-1").iterdir():
        assert b"short-lived" not in path.read_bytes()


async def test_starting_twice_starts_one_agent(desk: Desk) -> None:
    """Starts that overlap, or come again after the end, find the same run."""
    run = desk.run()
    agent = script('echo started >>"$HOME/count"; echo x', environment={"HOME": str(desk.home)})

    await asyncio.gather(*(runs.start(desk.shell, run, agent) for _ in range(4)))
    await read_log(desk, run)
    again = await runs.start(desk.shell, run, agent)

    assert again.state == "ended"
    assert (desk.home / "count").read_text() == "started\n"


async def test_a_program_that_is_not_there_is_an_ended_run(desk: Desk) -> None:
    """An agent that is not installed says so next to its log."""
    run = desk.run()

    await runs.start(desk.shell, run, Invocation(("no-such-agent",), {"PATH": "/usr/bin"}, ""))

    assert await read_log(desk, run) == b""
    assert (await runs.status(desk.shell, run)).exit_status == 127
    assert "no-such-agent cannot be started" in (desk.home / "run-1.log.stderr").read_text()


async def test_a_machine_without_python_is_told(desk: Desk) -> None:
    """Where the runner cannot run, the agent cannot be started."""
    run = desk.run()
    wrong = replace(run, python="no-such-python")

    with pytest.raises(AgentError, match="the runner cannot start"):
        await runs.start(desk.shell, wrong, script("true"))

    assert (await runs.status(desk.shell, run)).state == "absent"


async def test_what_the_machine_says_is_checked(desk: Desk) -> None:
    """An answer that is not the runner's is an error and no status."""
    run = desk.run()
    (desk.home / "run-1").mkdir()
    (desk.home / "run-1/exit.json").write_text('{"exit_status": 1e999, "ended_at": "soon"}')
    (desk.home / "run-1/runner.pyz").write_text("print('[]')")

    with pytest.raises(AgentError, match="not understood"):
        await runs.status(desk.shell, run)
    assert (await runs.stop(desk.shell, run)).stopped


async def test_an_unreachable_machine_is_not_a_stopped_run(tmp_path: Path) -> None:
    """Nobody concludes from silence that the agent has ended."""
    connections = Connections()
    async with FakeMachine(tmp_path) as machine:
        shell = SshShell(connections.to(machine.settings), patience=timedelta(seconds=0.2))
        desk = Desk(shell, machine.home)
        run = desk.run()
        await runs.start(shell, run, script("echo $$; exec sleep 600"))
        pid = await desk.number("run-1.log")
        await machine.refuse()
        await machine.drop_connections()

        for ask in (runs.status, runs.stop):
            with pytest.raises(MachineUnreachable):
                await ask(shell, run)
        with pytest.raises(MachineUnreachable):
            await read_log(desk, run)
        assert is_alive(pid)

        await machine.accept()
        assert (await runs.stop(shell, run)).stopped
        await connections.close()


async def test_a_run_outlives_the_connection(tmp_path: Path) -> None:
    """The agent works on while the connection is lost, and its log is read without a gap."""
    connections = Connections()
    async with FakeMachine(tmp_path) as machine:
        shell = SshShell(connections.to(machine.settings))
        desk = Desk(shell, machine.home)
        run = desk.run()
        os.mkfifo(machine.home / "go")
        await runs.start(shell, run, script("seq 1000; cat go; seq 1001 2000"))
        text = b""
        async with aclosing(runs.follow(shell, run)) as chunks:
            async for chunk in chunks:
                text += chunk.data
                if text.endswith(b"\n1000\n"):
                    await machine.drop_connections()
                    await asyncio.to_thread((machine.home / "go").write_text, "")

        assert text == "".join(f"{i}\n" for i in range(1, 2001)).encode()
        assert machine.connections == 2
        await connections.close()
