"""Somebody stops a job, from another process: whatever is being done ends, and people are told."""

from __future__ import annotations

import asyncio
import sys
from contextlib import aclosing, asynccontextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

from inline_snapshot import snapshot

from bot.investigation import Steps
from bot.machines.local import LocalShell
from bot.models import JobState, StopKind
from bot.settings import AgentSettings
from bot.store import Database, Jobs
from demo import story
from tests import scenes
from tests.fakes.processes import gone
from tests.harness import MAINTAINER, REPORTER, REPOSITORY
from tests.test_store import Enqueued, accept, draft

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from bot.investigation import Parts
    from bot.models import JobId
    from bot.store import Job
    from tests.harness import Bot

HANGS = """\
### 🐛 Describe the bug

It never ends.

```python
import os, time
import tinytorch

with open("{path}", "w") as file:
    print(os.getpid(), file=file)
time.sleep(600)
```
"""
"""An issue whose repro hangs, and says which process it is."""


@asynccontextmanager
async def elsewhere(bot: Bot) -> AsyncGenerator[Jobs]:
    """Be another process on the same database."""
    database = await asyncio.to_thread(Database, bot.settings.database)
    yield Jobs(database)
    await database.close()


async def kill(bot: Bot, job_id: JobId) -> None:
    """Stop a job as another process does that took the comment."""
    async with elsewhere(bot) as jobs:
        assert await jobs.request_kill(job_id, MAINTAINER)


async def the_job(bot: Bot, state: JobState) -> Job:
    """Return the job that is in this state, once there is one."""
    await bot.reached(state)
    jobs = await bot.service.jobs.unfinished()
    return next(job for job in jobs if job.state is state)


async def number(path: Path) -> int:
    """Wait until a process wrote a number and a newline into a file."""
    text = b""
    async with aclosing(LocalShell().tail(str(path))) as chunks:
        async for chunk in chunks:
            text += chunk.data
            if text.endswith(b"\n"):
                break
    return int(text)


async def test_an_agent_that_does_not_listen(bot: Bot) -> None:
    """It is ended with all it started; what it wrote is posted, and marked as partial."""
    bot.agent_does(
        [
            {"write": "worklog.md", "text": "- began\n"},
            {"run": ["sh", "-c", "echo $PPID >agent.pid"]},
            {"run": ["sh", "-c", "setsid sh -c 'echo $$ >child.pid; exec sleep 600' & exit 0"]},
            {"ignore": "SIGTERM"},
            {"hang": True},
        ]
    )
    await bot.comment("/ptq investigate")
    await bot.next_text()
    job = await the_job(bot, JobState.INVESTIGATING)
    directory = bot.machine.home / "ptq_workspace/jobs" / job.id
    processes = [await number(directory / name) for name in ("agent.pid", "child.pid")]

    await kill(bot, job.id)

    for process in processes:
        await gone(process)
    assert (await bot.next_text()).partition("\n")[2] == snapshot("""\
@maintainer This job was stopped by maintainer before it was done.

What is known is in [the comment above](https://github.com/pytorch/pytorch/issues/1#issuecomment-ID). It may be incomplete, because the run was cut short.\
""")
    assert (await bot.job()).state is JobState.CANCELLED
    assert "- began" in bot.report()
    assert await bot.service.leases.living() == []


def test_an_agent_has_two_seconds_to_end() -> None:
    """A look a second, two seconds for the agent: a kill takes effect within five."""
    assert AgentSettings().stop_grace.total_seconds() == 2


async def test_a_job_in_the_queue(bot: Bot) -> None:
    """Whoever waits for a machine need not have one to be stopped."""
    bot.issue.body = scenes.PASSING
    gate = bot.directory / "go"
    bot.agent_does([{"wait_for": str(gate)}, *scenes.not_reproduced()])
    other = bot.github.add_issue(REPOSITORY, story.TITLE, scenes.PASSING, author=REPORTER)
    await bot.comment("/ptq investigate")
    await bot.next_text()
    await bot.reached(JobState.INVESTIGATING)
    await bot.comment("/ptq investigate", issue=other)
    await bot.next_text()
    job = await the_job(bot, JobState.QUEUED)

    await kill(bot, job.id)

    assert (await bot.next_text()).partition("\n")[2] == snapshot("""\
@maintainer This job was stopped by maintainer before it was done.

What is known is in [the comment above](https://github.com/pytorch/pytorch/issues/2#issuecomment-ID).\
""")
    gate.touch()
    await bot.next_text()
    await bot.job()


async def test_a_job_that_is_prepared(world: Bot) -> None:
    """A command that runs on the machine ends with the job."""
    slow = world.directory / "slow-python"
    beside = world.directory / "preparing"
    slow.write_text(f'#!/bin/sh\necho $$ >>{beside}\nsleep 600\nexec {sys.executable} "$@"\n')
    slow.chmod(0o755)
    torch = world.settings.torch.model_copy(update={"python": str(slow)})
    world.settings = world.settings.model_copy(update={"torch": torch})
    async with world.serving():
        await world.comment("/ptq investigate")
        await world.next_text()
        job = await the_job(world, JobState.PREPARING)
        process = await number(beside)

        await kill(world, job.id)

        assert (await world.next_text()).partition("\n")[2] == snapshot("""\
@maintainer This job was stopped by maintainer before it was done.

What is known is in [the comment above](https://github.com/pytorch/pytorch/issues/1#issuecomment-ID).\
""")
        await gone(process)
        assert (await world.job()).state is JobState.CANCELLED
        assert await world.service.leases.living() == []


async def test_a_job_that_is_proved(world: Bot) -> None:
    """What the bot itself runs ends too; the agent's report is there, and no pull request."""
    hanging = world.directory / "hanging"
    world.issue.body = HANGS.format(path=hanging)
    proof = world.settings.proof.model_copy(update={"time_limit": world.settings.github.max_wait})
    world.settings = world.settings.model_copy(update={"proof": proof})
    world.agent_does([scenes.REPORT, scenes.verdict("reproduced", summary="It hangs.")])
    async with world.serving():
        await world.comment("/ptq investigate")
        await world.next_text()
        job = await the_job(world, JobState.PROVING)
        process = await number(hanging)

        await kill(world, job.id)

        assert (await world.next_text()).partition("\n")[2] == snapshot("""\
@maintainer This job was stopped by maintainer before it was done. The agent reports that it reproduced the bug, and it has no fix for it.

In its words:
> It hangs.

The report is in [the comment above](https://github.com/pytorch/pytorch/issues/1#issuecomment-ID). All of this is the agent's own account: neither I nor a person has checked it.\
""")
        await gone(process)
        assert (await world.job()).state is JobState.CANCELLED
        assert "It is what the verdict says." in world.report()
        assert world.github.pulls(REPOSITORY) == []


async def test_a_killed_job_is_in_a_hurry(tmp_path: Path) -> None:
    """Its steps have little patience with a machine that is away; at a limit of money they have."""
    database = await asyncio.to_thread(Database, f"sqlite:///{tmp_path / 'ptq.sqlite'}")
    await database.upgrade()
    jobs = Jobs(database)
    job_id, _ = await accept(jobs, draft(), Enqueued())
    steps = Steps(cast("Parts", SimpleNamespace(jobs=jobs)))
    assert not await steps.is_killed(job_id)
    assert await jobs.request_stop(job_id, StopKind.MAX_USD)
    assert not await steps.is_killed(job_id)
    assert await jobs.request_kill(job_id, MAINTAINER)
    assert await steps.is_killed(job_id)
    await database.close()
