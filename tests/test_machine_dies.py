"""A machine that stops answering: noticed, and its job begins again on another one, once."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import aclosing
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from inline_snapshot import snapshot

from bot.errors import MachineUnreachable
from bot.machines.connections import Connections
from bot.machines.local import LocalShell
from bot.machines.ssh import SshShell
from bot.models import JobState
from demo import story
from tests import scenes
from tests.fakes.machine import FakeMachine
from tests.fakes.processes import gone, is_alive
from tests.fakes.wire import Wire
from tests.harness import MAINTAINER

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from tests.harness import Bot

LOST = "Machine `gpu-1` stopped answering, so I begin again."


@pytest.fixture
async def second(world: Bot, tmp_path: Path) -> AsyncGenerator[FakeMachine]:
    """Have a second machine, and little patience with the first one."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    machine = FakeMachine(
        tmp_path / "second", name="gpu-2", gpu_type="h100", gpus=1, environment={"PATH": path}
    )
    async with machine:
        machines = (world.settings.machines[0], machine.settings)
        impatient = {"follow_patience": timedelta(seconds=0.2), "machines": machines}
        world.settings = world.settings.model_copy(update=impatient)
        yield machine


def impatient(bot: Bot) -> None:
    """Have little patience with the only machine."""
    patience = {"follow_patience": timedelta(seconds=0.2)}
    bot.settings = bot.settings.model_copy(update=patience)


def hangs_at_first(bot: Bot) -> Path:
    """Have the first agent hang and the next one answer; return where the first one's number is."""
    first = bot.directory / "agent.pid"
    bot.issue.body = scenes.PASSING
    script = f"if [ -e {first} ]; then exit 0; fi; echo $PPID >{first}; exec sleep 600"
    bot.agent_does([{"run": ["sh", "-c", script]}, *scenes.not_reproduced()])
    return first


async def number(path: Path) -> int:
    """Wait until a process wrote a number and a newline into a file."""
    text = b""
    async with aclosing(LocalShell().tail(str(path))) as chunks:
        async for chunk in chunks:
            text += chunk.data
            if text.endswith(b"\n"):
                break
    return int(text)


async def dies(machine: FakeMachine) -> None:
    """Have a machine answer nobody any more; what runs on it runs on."""
    await machine.refuse()
    await machine.drop_connections()


async def test_the_job_begins_again_on_another_machine(world: Bot, second: FakeMachine) -> None:
    """The thread is told; the agent that was left behind ends before its machine is lent again."""
    first = hangs_at_first(world)
    async with world.serving():
        await world.comment("/ptq investigate")
        await world.next_text()
        agent = await number(first)

        await dies(world.machine)

        await world.edited(LOST)
        assert "I ran the repro myself" in await world.next_text()
        job = await world.job()
        assert (job.state, job.lost_machine, job.machine) == (JobState.FINISHED, "gpu-1", "gpu-2")
        assert "Machine `gpu-1` had stopped answering, so I began again." in world.report()
        assert is_alive(agent)
        assert await world.service.leases.living() == []
        assert second.connections == 1

        await world.machine.accept()
        await world.comment("/ptq investigate --machine gpu-1")
        await gone(agent)
        await world.next_text()
        await world.next_text()
        assert (await world.job()).machine == "gpu-1"


async def test_where_there_is_no_other_it_begins_again_on_the_same(world: Bot) -> None:
    """A machine that comes back has the job again: the old agent is ended, its files are gone."""
    impatient(world)
    first = hangs_at_first(world)
    async with world.serving():
        await world.comment("/ptq investigate")
        await world.next_text()
        agent = await number(first)
        stray = first.with_name("stray")
        (job,) = await world.service.jobs.unfinished()
        directory = world.machine.home / "ptq_workspace/jobs" / job.id
        stray = directory / "stray"
        stray.touch()

        await dies(world.machine)
        lost = False
        while not lost:
            (job,) = await world.service.jobs.unfinished()
            lost = job.lost_machine is not None
            await asyncio.sleep(0)
        await world.machine.accept()

        assert "I ran the repro myself" in await world.next_text()
        assert not is_alive(agent)
        assert not stray.exists()
        assert (directory / "run-1-2").is_dir()
        assert (await world.job()).machine == "gpu-1"


async def test_it_dies_while_the_bot_looks_for_itself(world: Bot, second: FakeMachine) -> None:
    """What was found is not told without a proof: the work begins again on another machine."""
    world.issue.body = scenes.PASSING
    world.agent_does(scenes.not_reproduced())
    async with world.serving():
        await world.comment("/ptq investigate")
        await world.next_text()
        await world.reached(JobState.PROVING)

        await dies(world.machine)

        assert "I ran the repro myself" in await world.next_text()
        job = await world.job()
        assert (job.state, job.lost_machine, job.machine) == (JobState.FINISHED, "gpu-1", "gpu-2")
        assert await world.service.leases.living() == []
        assert second.connections == 1


async def test_it_dies_under_the_second_try(world: Bot, second: FakeMachine) -> None:
    """The work begins again on another machine; the agent ends as soon as the first one is back."""
    first = world.directory / "agent.pid"
    script = f"if [ -e {first} ]; then exit 0; fi; echo $PPID >{first}; exec sleep 600"
    nothing = {**scenes.MEND, "old": '"""Swap rows', "new": '"""Exchange rows'}
    world.agent_does(
        [*story.reproduce(), nothing, scenes.REPORT, scenes.verdict("fixed")],
        then=[
            {"run": ["sh", "-c", script]},
            scenes.MEND,
            scenes.REPORT,
            scenes.verdict("fixed"),
        ],
    )
    schedule = world.settings.schedule.model_copy(update={"jobs": timedelta(seconds=0.05)})
    world.settings = world.settings.model_copy(update={"schedule": schedule})
    async with world.serving():
        await world.comment("/ptq investigate")
        await world.next_text()
        agent = await number(first)

        await dies(world.machine)

        assert "draft pull request #2" in await world.next_text()
        job = await world.job()
        assert (job.state, job.lost_machine, job.machine) == (JobState.FINISHED, "gpu-1", "gpu-2")
        assert second.connections == 1
        assert is_alive(agent)

        await world.machine.accept()
        await gone(agent)


async def test_an_agent_on_a_second_machine_that_died(world: Bot, second: FakeMachine) -> None:
    """It is as little forgotten as that on the first one: it ends when its machine is back."""
    first, other = world.directory / "agent.1", world.directory / "agent.2"
    script = f"case $PWD in {second.home}*) to={other};; *) to={first};; esac; echo $PPID >$to"
    world.agent_does([{"run": ["sh", "-c", f"{script}; exec sleep 600"]}])
    schedule = world.settings.schedule.model_copy(update={"jobs": timedelta(seconds=0.05)})
    world.settings = world.settings.model_copy(update={"schedule": schedule})
    async with world.serving():
        await world.comment("/ptq investigate")
        await world.next_text()
        on_first = await number(first)
        await dies(world.machine)
        on_second = await number(other)
        await dies(second)
        assert "lost the second one too" in await world.next_text()
        assert (await world.job()).state is JobState.FAILED
        assert await world.service.leases.living() == []
        for machine, agent in ((world.machine, on_first), (second, on_second)):
            assert is_alive(agent)
            await machine.accept()
            await gone(agent)


async def test_twice_is_the_end(world: Bot, second: FakeMachine) -> None:
    """A job has one more try; then it has failed, and not for what the issue says."""
    await second.refuse()
    first = hangs_at_first(world)
    async with world.serving():
        await world.comment("/ptq investigate")
        await world.next_text()
        agent = await number(first)
        await dies(world.machine)
        assert (await world.next_text()).partition("\n")[2] == snapshot("""\
@maintainer This job failed. The connection to its machine was lost, or never made. I began again, and lost the second one too. It has nothing to do with the issue: ask again later.

What is known is in [the comment above](https://github.com/pytorch/pytorch/issues/1#issuecomment-ID).\
""")
        assert (await world.job()).state is JobState.FAILED
        assert await world.service.leases.living() == []
        await world.machine.accept()
        await world.comment("/ptq investigate --machine gpu-1")
        await gone(agent)
        await world.next_text()
        await world.next_text()
        await world.job()


async def test_a_kill_while_the_machine_is_dead(world: Bot, second: FakeMachine) -> None:
    """Who stops a job whose machine does not answer does not see it begin again."""
    first = hangs_at_first(world)
    async with world.serving():
        await world.comment("/ptq investigate")
        await world.next_text()
        agent = await number(first)
        await dies(world.machine)
        (job,) = await world.service.jobs.unfinished()
        assert await world.service.jobs.request_kill(job.id, MAINTAINER)
        assert "was stopped by maintainer" in await world.next_text()
        assert (await world.job()).state is JobState.CANCELLED
        assert second.connections == 0
        await world.machine.accept()
        await world.comment("/ptq investigate --machine gpu-1")
        await gone(agent)
        await world.next_text()
        await world.next_text()
        await world.job()


async def test_a_lease_that_is_gone_counts_as_a_dead_machine(
    world: Bot, second: FakeMachine
) -> None:
    """A reservation that somebody took back begins again elsewhere; its agent is ended."""
    first = hangs_at_first(world)
    async with world.serving():
        await world.comment("/ptq investigate")
        await world.next_text()
        await number(first)
        (lease,) = await world.service.leases.living()
        await world.service.leases.release(lease.id)
        assert "I ran the repro myself" in await world.next_text()
        assert (await world.job()).machine == "gpu-2"
        assert second.connections == 1
        await world.comment("/ptq investigate --machine gpu-1")
        await world.next_text()
        await world.next_text()
        await world.job()


async def test_a_connection_that_hangs_is_noticed(tmp_path: Path) -> None:
    """A machine that says nothing any more is unreachable, for commands and for followers."""
    async with FakeMachine(tmp_path) as machine, Wire(machine.settings.port) as wire:
        connections = Connections(keepalive=timedelta(seconds=0.1))
        settings = machine.settings.model_copy(update={"port": wire.port})
        shell = SshShell(connections.to(settings), patience=timedelta(0))
        await shell.write("~/log", "text")
        command = asyncio.create_task(shell.run("sleep", "600"))
        async with aclosing(shell.tail("~/log")) as chunks:
            assert (await anext(chunks)).data == b"text"

            wire.hang()

            with pytest.raises(MachineUnreachable):
                await command
            with pytest.raises(MachineUnreachable):
                await anext(chunks)
        await connections.close()
