"""How a run ends: by itself, by a stop, by a deadline, or with its supervisor; nothing lives on."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import aclosing
from datetime import timedelta

import pytest

from bot.agents import runs
from bot.agents.runs import RunStatus
from bot.errors import AgentError
from tests.fakes import desk as desks
from tests.fakes.desk import Desk, read_log, script
from tests.fakes.processes import gone, is_alive

desk = desks.desk


async def test_what_an_agent_leaves_behind_is_ended(desk: Desk) -> None:
    """A run ends when the agent's last descendant is gone, in whatever session it is."""
    run = desk.run()
    agent = script("mkfifo f; setsid sh -c 'echo $$ >f; exec sleep 600' & cat f")

    await runs.start(desk.shell, run, agent)
    pid = int(await read_log(desk, run))

    assert not is_alive(pid)
    assert (await runs.status(desk.shell, run)).exit_status == 0


async def test_stopping_ends_every_descendant(desk: Desk) -> None:
    """Stopping ends what ignores SIGTERM, and what went to its own session."""
    run = desk.run(grace=timedelta(seconds=0.3))
    stubborn = "trap '' TERM; echo $$ >f; while :; do sleep 600; done"
    agent = script(f'mkfifo f; setsid sh -c "{stubborn.replace("$", chr(92) + "$")}" & cat f; wait')
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
    agent = script("trap 'echo saved; exit 143' TERM; echo 1; while :; do sleep 600 & wait; done")
    await runs.start(desk.shell, run, agent)
    await desk.number("run-1.log")

    ended = await runs.stop(desk.shell, run)

    assert ended.exit_status == 143
    assert await read_log(desk, run) == b"1\nsaved\n"


async def test_stopped_before_it_was_started_it_never_starts(desk: Desk) -> None:
    """A stop that comes first is remembered."""
    run = desk.run()

    assert await runs.status(desk.shell, run) == RunStatus("absent")
    stopped = await runs.stop(desk.shell, run)
    started = await runs.start(desk.shell, run, script("echo started"))

    assert stopped.state == "ended"
    assert stopped.stopped
    assert stopped.started_at is None
    assert started == stopped
    assert not (desk.home / "run-1.log").exists()
    assert not (desk.home / "run-1/launch.json").exists()
    assert await read_log(desk, run) == b""


async def test_a_killed_supervisor_is_a_lost_run(desk: Desk) -> None:
    """Without its supervisor a run reads as lost, its log is still read, and a stop ends it."""
    run = desk.run(grace=timedelta(seconds=0.3))
    agent = script("mkfifo f; setsid sh -c 'echo $$ >f; exec sleep 600' & cat f; wait")
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


async def test_a_stop_does_not_believe_the_runs_own_files(desk: Desk) -> None:
    """Files that the agent wrote into the run's directory keep nobody from ending it."""
    run = desk.run(grace=timedelta(seconds=0.3))
    await runs.start(desk.shell, run, desks.script("echo $$; exec sleep 600"))
    pid = await desk.number("run-1.log")
    (desk.home / "run-1/supervisor.json").write_text('{"pid": "none", "stop_grace": []}')
    (desk.home / "run-1/exit.json").write_text('{"exit_status": 0, "ended_at": 1}')

    running = await runs.status(desk.shell, run)
    await runs.stop(desk.shell, run)

    assert running.state == "running"
    assert not is_alive(pid)


async def test_at_the_soft_deadline_a_file_appears(desk: Desk) -> None:
    """The agent can see that its time is nearly over, and goes on."""
    run = desk.run(soft=timedelta(seconds=0.3))
    agent = script("until [ -e run-1/soft-deadline ]; do sleep 0.05; done; echo seen")

    await runs.start(desk.shell, run, agent)

    assert await read_log(desk, run) == b"seen\n"
    ended = await runs.status(desk.shell, run)
    assert not ended.timed_out
    assert ended.exit_status == 0


async def test_at_the_hard_deadline_the_agent_is_ended(desk: Desk) -> None:
    """Nobody needs to be connected for the deadline to hold."""
    run = desk.run(
        soft=timedelta(seconds=0.1), hard=timedelta(seconds=0.3), grace=timedelta(seconds=0.2)
    )

    await runs.start(desk.shell, run, script("trap '' TERM; while :; do sleep 600; done"))
    await read_log(desk, run)
    ended = await runs.status(desk.shell, run)

    assert ended.timed_out
    assert not ended.stopped
    assert ended.exit_status == -signal.SIGKILL


async def test_a_deadline_in_the_past_ends_the_run_at_once(desk: Desk) -> None:
    """A run that comes too late is over before it did anything."""
    run = desk.run(soft=timedelta(seconds=-2), hard=timedelta(seconds=-1))

    await runs.start(desk.shell, run, script("sleep 600"))
    await read_log(desk, run)

    assert (await runs.status(desk.shell, run)).timed_out


async def test_following_can_be_cancelled_while_it_waits(desk: Desk) -> None:
    """A service that is told to stop ends its following as cancelled, and not with an error."""
    run = desk.run()
    await runs.start(desk.shell, run, script("echo begun; sleep 600"))
    begun = asyncio.Event()

    async def read() -> None:
        async with aclosing(runs.follow(desk.shell, run)) as chunks:
            async for _ in chunks:
                begun.set()

    reading = asyncio.create_task(read())
    await begun.wait()
    # The turn of the loop in which it waits for the next bytes.
    await asyncio.wait({reading}, timeout=0.05)
    reading.cancel()

    with pytest.raises(asyncio.CancelledError):
        await reading
    await runs.stop(desk.shell, run)
