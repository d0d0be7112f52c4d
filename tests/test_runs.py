"""A run: the agent is started once, followed to its end, and ended with all that it started."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from bot.agents import runs
from bot.agents.base import Invocation
from bot.agents.runs import Run, RunStatus
from bot.errors import AgentError, MachineUnreachable
from bot.machines.connections import Connections
from bot.machines.local import LocalShell
from bot.machines.ssh import SshShell
from tests.fakes.machine import FakeMachine
from tests.fakes.processes import gone, is_alive

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping
    from pathlib import Path

    from bot.machines.base import Shell


@dataclass
class Desk:
    """A machine, and a run on it."""

    shell: Shell
    home: Path
    ids: list[str] = field(default_factory=list[str])
    machine: FakeMachine | None = None

    def run(
        self,
        *,
        name: str = "run-1",
        soft: timedelta = timedelta(minutes=1),
        hard: timedelta = timedelta(minutes=2),
        grace: timedelta = timedelta(seconds=5),
    ) -> Run:
        """Plan a run that begins now."""
        now = datetime.now(UTC)
        self.ids.append(name)
        return Run(
            id=f"{self.home}/{name}",
            directory=f"~/{name}",
            cwd="~",
            log=f"~/{name}.log",
            python=sys.executable,
            soft_deadline=now + soft,
            hard_deadline=now + hard,
            stop_grace=grace,
        )

    async def number(self, name: str) -> int:
        """Wait until the agent wrote a number and a newline into a file, and return it."""
        text = b""
        async with aclosing(self.shell.tail(f"~/{name}")) as chunks:
            async for chunk in chunks:
                text += chunk.data
                if text.endswith(b"\n"):
                    break
        return int(text)

    def supervisor(self, run: Run) -> int:
        """Return the process that watches over a run."""
        path = self.home / run.directory.removeprefix("~/") / "supervisor.json"
        return int(json.loads(path.read_text())["pid"])


@pytest.fixture(params=["local", "ssh"])
async def desk(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[Desk]:
    """Work on our own machine, and over SSH; nothing is left running."""
    if request.param == "local":
        home = tmp_path / "home"
        home.mkdir()
        shell = LocalShell({"HOME": str(home), "PATH": os.environ["PATH"]})
        desk = Desk(shell, home)
        yield desk
        await _stop_all(desk)
        return
    connections = Connections()
    async with FakeMachine(tmp_path) as machine:
        shell = SshShell(connections.to(machine.settings), patience=timedelta(seconds=1))
        desk = Desk(shell, machine.home, machine=machine)
        yield desk
        await _stop_all(desk)
        await connections.close()


async def _stop_all(desk: Desk) -> None:
    for name in set(desk.ids):
        await runs.stop(desk.shell, desk.run(name=name, grace=timedelta(0)))


def _script(
    text: str,
    *,
    environment: Mapping[str, str] | None = None,
    stdin: str = "",
    files: Mapping[str, str] | None = None,
) -> Invocation:
    path = {"PATH": os.environ["PATH"]}
    return Invocation(
        argv=("/bin/sh", "-c", text),
        environment=path if environment is None else environment,
        stdin=stdin,
        files=files or {},
    )


async def _log(desk: Desk, run: Run, *, offset: int = 0) -> bytes:
    text = b""
    async with aclosing(runs.follow(desk.shell, run, offset=offset)) as chunks:
        async for chunk in chunks:
            assert chunk.offset == offset + len(text)
            text += chunk.data
    return text


async def test_a_run_is_followed_to_its_end(desk: Desk) -> None:
    """The log is whole, stderr is apart, and the exit status and the times are known."""
    run = desk.run()
    agent = _script("cat; echo bad >&2; seq 100000; exit 3", stdin="go\n")

    began = await runs.start(desk.shell, run, agent)
    log = await _log(desk, run)
    ended = await runs.status(desk.shell, run)

    assert began.state in {"running", "ended"}
    assert log == b"go\n" + "".join(f"{i}\n" for i in range(1, 100001)).encode()
    assert await _log(desk, run, offset=len(log) - 7) == b"100000\n"
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
    variables = (await _log(desk, run)).decode().strip("\0\n").split("\0")

    assert sorted(variables) == ["ODD=a=b c", f"PTQ_RUN={run.id}", "TOKEN=short-lived"]


async def test_a_token_does_not_stay_on_the_machine(desk: Desk) -> None:
    """The file that starts the agent is gone once it is started; its files are for it alone."""
    run = desk.run()
    agent = _script(
        "pwd", environment={"TOKEN": "short-lived"}, files={"~/agent/settings.json": "{}"}
    )

    await runs.start(desk.shell, run, agent)
    await runs.start(desk.shell, run, agent)

    assert await _log(desk, run) == f"{desk.home}\n".encode()
    assert (desk.home / "agent/settings.json").stat().st_mode & 0o777 == 0o600
    for path in (desk.home / "run-1").iterdir():
        assert b"short-lived" not in path.read_bytes()


async def test_starting_twice_starts_one_agent(desk: Desk) -> None:
    """Starts that overlap, or come again after the end, find the same run."""
    run = desk.run()
    agent = _script('echo started >>"$HOME/count"; echo x', environment={"HOME": str(desk.home)})

    await asyncio.gather(*(runs.start(desk.shell, run, agent) for _ in range(4)))
    await _log(desk, run)
    again = await runs.start(desk.shell, run, agent)

    assert again.state == "ended"
    assert (desk.home / "count").read_text() == "started\n"


async def test_what_an_agent_leaves_behind_is_ended(desk: Desk) -> None:
    """A run ends when the agent's last descendant is gone, in whatever session it is."""
    run = desk.run()
    agent = _script("mkfifo f; setsid sh -c 'echo $$ >f; exec sleep 600' & cat f")

    await runs.start(desk.shell, run, agent)
    pid = int(await _log(desk, run))

    assert not is_alive(pid)
    assert (await runs.status(desk.shell, run)).exit_status == 0


async def test_stopping_ends_every_descendant(desk: Desk) -> None:
    """Stopping ends what ignores SIGTERM, and what went to its own session."""
    run = desk.run(grace=timedelta(seconds=0.3))
    stubborn = "trap '' TERM; echo $$ >f; while :; do sleep 600; done"
    agent = _script(
        f'mkfifo f; setsid sh -c "{stubborn.replace("$", chr(92) + "$")}" & cat f; wait'
    )
    await runs.start(desk.shell, run, agent)
    pid = await desk.number("run-1.log")

    ended = await runs.stop(desk.shell, run)

    assert not is_alive(pid)
    assert ended.state == "ended"
    assert ended.stopped
    assert not ended.timed_out
    assert ended.exit_status == -signal.SIGTERM
    assert await runs.stop(desk.shell, run) == ended
    assert await runs.start(desk.shell, run, agent) == ended


async def test_an_agent_may_end_itself_when_it_is_stopped(desk: Desk) -> None:
    """The agent has the grace to write down what it has."""
    run = desk.run()
    agent = _script("trap 'echo saved; exit 143' TERM; echo 1; sleep 600 & wait")
    await runs.start(desk.shell, run, agent)
    await desk.number("run-1.log")

    ended = await runs.stop(desk.shell, run)

    assert ended.exit_status == 143
    assert await _log(desk, run) == b"1\nsaved\n"


async def test_stopped_before_it_was_started_it_never_starts(desk: Desk) -> None:
    """A stop that comes first is remembered."""
    run = desk.run()

    assert await runs.status(desk.shell, run) == RunStatus("absent")
    stopped = await runs.stop(desk.shell, run)
    started = await runs.start(desk.shell, run, _script("echo started"))

    assert stopped.state == "ended"
    assert stopped.stopped
    assert stopped.started_at is None
    assert started == stopped
    assert not (desk.home / "run-1.log").exists()
    assert not (desk.home / "run-1/launch.json").exists()
    assert await _log(desk, run) == b""


async def test_a_killed_supervisor_is_a_lost_run(desk: Desk) -> None:
    """Without its supervisor a run reads as lost, its log is still read, and a stop ends it."""
    run = desk.run(grace=timedelta(seconds=0.3))
    agent = _script("mkfifo f; setsid sh -c 'echo $$ >f; exec sleep 600' & cat f; wait")
    await runs.start(desk.shell, run, agent)
    pid = await desk.number("run-1.log")

    os.kill(desk.supervisor(run), signal.SIGKILL)
    await gone(desk.supervisor(run))
    text = b""
    follower = runs.follow(desk.shell, run, check_every=timedelta(0))
    with pytest.raises(AgentError, match="lost"):  # noqa: PT012 -- what came before it counts too
        async for chunk in follower:
            text += chunk.data
    lost = await runs.start(desk.shell, run, agent)
    alive = is_alive(pid)
    ended = await runs.stop(desk.shell, run)

    assert text == f"{pid}\n".encode()
    assert lost.state == "lost"
    assert alive
    assert not is_alive(pid)
    assert ended.state == "ended"
    assert ended.stopped
    assert ended.exit_status is None
    assert ended.started_at == lost.started_at


async def test_at_the_soft_deadline_a_file_appears(desk: Desk) -> None:
    """The agent can see that its time is nearly over, and goes on."""
    run = desk.run(soft=timedelta(seconds=0.3))
    agent = _script("until [ -e run-1/soft-deadline ]; do sleep 0.05; done; echo seen")

    await runs.start(desk.shell, run, agent)

    assert await _log(desk, run) == b"seen\n"
    ended = await runs.status(desk.shell, run)
    assert not ended.timed_out
    assert ended.exit_status == 0


async def test_at_the_hard_deadline_the_agent_is_ended(desk: Desk) -> None:
    """Nobody needs to be connected for the deadline to hold."""
    run = desk.run(
        soft=timedelta(seconds=0.1), hard=timedelta(seconds=0.3), grace=timedelta(seconds=0.2)
    )

    await runs.start(desk.shell, run, _script("trap '' TERM; while :; do sleep 600; done"))
    await _log(desk, run)
    ended = await runs.status(desk.shell, run)

    assert ended.timed_out
    assert not ended.stopped
    assert ended.exit_status == -signal.SIGKILL


async def test_a_deadline_in_the_past_ends_the_run_at_once(desk: Desk) -> None:
    """A run that comes too late is over before it did anything."""
    run = desk.run(soft=timedelta(seconds=-2), hard=timedelta(seconds=-1))

    await runs.start(desk.shell, run, _script("sleep 600"))
    await _log(desk, run)

    assert (await runs.status(desk.shell, run)).timed_out


async def test_a_program_that_is_not_there_is_an_ended_run(desk: Desk) -> None:
    """An agent that is not installed says so next to its log."""
    run = desk.run()

    await runs.start(desk.shell, run, Invocation(("no-such-agent",), {"PATH": "/usr/bin"}, ""))

    assert await _log(desk, run) == b""
    assert (await runs.status(desk.shell, run)).exit_status == 127
    assert "no-such-agent cannot be started" in (desk.home / "run-1.log.stderr").read_text()


async def test_a_machine_without_python_is_told(desk: Desk) -> None:
    """Where the runner cannot run, the agent cannot be started."""
    run = desk.run()
    wrong = replace(run, python="no-such-python")

    with pytest.raises(AgentError, match="the runner cannot start"):
        await runs.start(desk.shell, wrong, _script("true"))

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
        await runs.start(shell, run, _script("echo $$; exec sleep 600"))
        pid = await desk.number("run-1.log")
        await machine.refuse()
        await machine.drop_connections()

        for ask in (runs.status, runs.stop):
            with pytest.raises(MachineUnreachable):
                await ask(shell, run)
        with pytest.raises(MachineUnreachable):
            await _log(desk, run)
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
        await runs.start(shell, run, _script("seq 1000; cat go; seq 1001 2000"))
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
