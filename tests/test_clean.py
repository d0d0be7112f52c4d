"""Removing the directories of jobs from a terminal."""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from inline_snapshot import snapshot

from bot.agents import runs
from bot.agents.base import Invocation
from bot.machines.local import LocalShell
from bot.models import JobState
from bot.remote.processes import marked
from bot.workspace.layout import Layout
from tests.own_terminal import Terminal, terminal_of
from tests.seeded import Seed, lent_again, seed, served

if TYPE_CHECKING:
    from bot.models import JobId, JobPaths
    from tests.harness import Bot


def directories(jobs: Path) -> list[str]:
    """Return the jobs that have a directory on the machine, by their issues."""
    return sorted(path.name.rpartition("-")[2] for path in jobs.iterdir())


async def cleaned(terminal: Terminal, *argv: str) -> dict[str, list[str]]:
    """Clean; return the jobs by what became of them, by their issues."""
    ended = await terminal.ptq("clean", *argv, "--json")
    assert ended.status == 0, ended.err
    told = json.loads(ended.out)
    assert told.pop("machine") == "gpu-1"
    return {name: [job.rpartition("-")[2] for job in jobs] for name, jobs in told.items()}


async def test_the_newest_are_kept(world: Bot) -> None:
    """So many are kept also when there are fewer; strangers' directories are never touched."""
    jobs = world.machine.home / "ptq_workspace" / "jobs"
    async with terminal_of(world) as terminal:
        for job in [*await seed(terminal, Seed(1), Seed(2), Seed(3)), "20250101-somebody-99"]:
            (jobs / job / "pytorch").mkdir(parents=True)
        assert (await cleaned(terminal, "gpu-1", "--keep", "3"))["removed"] == []
        assert directories(jobs) == ["1", "2", "3", "99"]
        assert await cleaned(terminal, "gpu-1", "--keep", "1") == {
            "removed": ["2", "1"],
            "kept": ["3"],
            "running": [],
        }
        assert directories(jobs) == ["3", "99"]


async def test_a_running_job_is_left_alone(world: Bot) -> None:
    """Neither its name nor its machine's removes it without --all."""
    jobs = world.machine.home / "ptq_workspace" / "jobs"
    async with terminal_of(world) as terminal:
        for job in await seed(terminal, Seed(1), Seed(4, state=JobState.INVESTIGATING)):
            (jobs / job / "pytorch").mkdir(parents=True)
        async with served(terminal):
            refused = await terminal.ptq("clean", "4")
            assert (refused.status, refused.out) == (1, "")
            assert refused.err == snapshot(
                "ptq: YYYYMMDD-pytorch-4 is running (investigating): --all stops it first\n"
            )
            everything = await terminal.ptq("clean", "gpu-1")
    assert everything.out == snapshot("""\
removed YYYYMMDD-pytorch-1
left YYYYMMDD-pytorch-4: it is running; --all stops it first
""")
    assert directories(jobs) == ["4"]


async def test_a_job_that_was_on_two_machines(world: Bot) -> None:
    """Its name removes it on both; a machine's name does there, whichever came first."""
    places = [world.machine.home, world.directory]
    async with terminal_of(world) as terminal:
        moved, other = await seed(terminal, Seed(1), Seed(2))
        for job in (moved, other):
            await lent_again(terminal, job, "local")
            for place in places:
                (place / "ptq_workspace/jobs" / job / "pytorch").mkdir(parents=True)
        assert (await terminal.ptq("clean", moved)).out == f"removed {terminal.plain(moved)}\n"
        assert [directories(place / "ptq_workspace/jobs") for place in places] == [["2"], ["2"]]
        assert (await terminal.ptq("clean", "--local")).status == 0
        assert [directories(place / "ptq_workspace/jobs") for place in places] == [["2"], []]


@pytest.mark.parametrize("target", ["gpu-1", "1"])
async def test_an_agent_that_was_left_on_a_machine_that_died(world: Bot, target: str) -> None:
    """It is ended before the files are removed that it is found by."""
    layout = Layout(str(world.machine.home / "ptq_workspace"))
    async with terminal_of(world) as terminal:
        (job,) = await seed(terminal, Seed(1))
        await lent_again(terminal, job, "gpu-1", is_lost=True)
        paths = layout.job(job)
        python = Path(paths.environment, "bin", "python")
        await asyncio.to_thread(python.parent.mkdir, parents=True)
        await asyncio.to_thread(python.symlink_to, sys.executable)
        run = left_run(job, paths)
        agent = Invocation(argv=("sleep", "600"), environment={}, stdin="")
        await runs.start(LocalShell(), run, agent)
        try:
            assert await asyncio.to_thread(marked, run.id)
            assert (await terminal.ptq("clean", target)).out == f"removed {terminal.plain(job)}\n"
            assert not await asyncio.to_thread(marked, run.id)
        finally:
            await runs.stop(LocalShell(), run)


def left_run(job: JobId, paths: JobPaths) -> runs.Run:
    """Return where the second run of a job lives on its first machine."""
    place = hashlib.sha256(paths.directory.encode()).hexdigest()[:8]
    return runs.Run(
        id=f"{job}-2-{place}-1",
        directory=f"{paths.directory}/run-2",
        cwd=paths.directory,
        log=f"{paths.directory}/claude-2.log",
        python=sys.executable,
        soft_deadline=datetime.now(UTC) + timedelta(minutes=1),
        hard_deadline=datetime.now(UTC) + timedelta(minutes=2),
        stop_grace=timedelta(seconds=1),
    )


@pytest.mark.parametrize("target", ["gpu-1", "1"])
async def test_an_unreachable_machine_is_not_a_stopped_one(world: Bot, target: str) -> None:
    """Where the machine does not answer, nothing is removed and nothing is released."""
    async with terminal_of(world) as terminal:
        (job,) = await seed(terminal, Seed(1))
        directory = world.machine.home / "ptq_workspace" / "jobs" / job
        directory.mkdir(parents=True)
        port = world.machine.settings.port
        config = terminal.config.read_text()
        terminal.config.write_text(config.replace(f"port = {port}", "port = 1"))
        ended = await terminal.ptq("clean", target)
    assert (ended.status, ended.out) == (1, "")
    assert ended.err == "ptq: machine gpu-1 does not answer\n"
    assert directory.exists()


async def test_nothing_to_clean(world: Bot) -> None:
    """What is to be cleaned is named, once."""
    async with terminal_of(world) as terminal:
        await seed(terminal)
        assert (await terminal.ptq("clean", "gpu-9")).err == snapshot(
            "ptq: there is no job gpu-9 in this database: `ptq list` shows them; the machines are gpu-1, local\n"
        )
        assert (await terminal.ptq("clean")).err == snapshot(
            "ptq: name a job or a machine of the settings, or say --local\n"
        )
        assert (await terminal.ptq("clean", "gpu-1")).out == snapshot(
            "There is nothing to remove on gpu-1.\n"
        )
