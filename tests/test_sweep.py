"""What jobs leave behind that did not come to their end is put in order."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import TYPE_CHECKING

from inline_snapshot import snapshot

from bot.models import GpuRequest, JobState, LeaseId
from bot.store import Jobs, Leases
from bot.store.tables import comments, jobs as table
from tests import scenes
from tests.databases import lose_workflow, opened
from tests.fakes.processes import gone, is_alive

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.models import JobId
    from tests.harness import Bot

LOOK = 0.02
REQUEST = GpuRequest(gpu_type="h100", gpus=1, duration=timedelta(hours=1))


def often(bot: Bot) -> None:
    """Look after leases and jobs again and again."""
    schedule = bot.settings.schedule.model_copy(update={"jobs": timedelta(seconds=0.05)})
    bot.settings = bot.settings.model_copy(update={"schedule": schedule})


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Wait for what no change on GitHub tells."""
    waits = True
    while waits:
        waits = not await holds()
        await asyncio.sleep(LOOK if waits else 0)


async def released(leases: Leases, *, but: int = 0) -> None:
    """Wait until no lease is living, or so many."""

    async def are_released() -> bool:
        return len(await leases.living()) == but

    await until(are_released)


async def told(jobs: Jobs) -> None:
    """Wait until nothing is owed to people."""

    async def are_told() -> bool:
        return not await jobs.untold(limit=1)

    await until(are_told)


async def interrupted(bot: Bot) -> JobId:
    """Start a job whose agent never ends by itself, and stop the service in the middle of it."""
    bot.agent_does([{"wait_for": str(bot.directory / "never")}])
    async with bot.serving() as service:
        await bot.comment("/ptq investigate")
        await bot.next_text()
        await bot.reached(JobState.INVESTIGATING)
        await bot.edited("▶ Investigate")
        (job,) = await service.jobs.unfinished()
    return job.id


async def agent_of(bot: Bot, job_id: JobId) -> int:
    """Return the process of a job's agent on its machine."""
    path = bot.machine.home / "ptq_workspace" / "jobs" / job_id / "run-1" / "agent.json"
    return json.loads(await asyncio.to_thread(path.read_text))["pid"]


async def ended(bot: Bot) -> JobId:
    """Have a job done to its end, and stop the service."""
    bot.agent_does(scenes.not_reproduced())
    async with bot.serving():
        await bot.comment("/ptq investigate")
        await bot.next_text()
        await bot.next_text()
        return (await bot.job()).id


async def forget(bot: Bot, job_id: JobId, **columns: None) -> None:
    """Let the database have lost these columns of a job."""
    change = table.update().where(table.c.id == job_id).values(told_at=None, **columns)
    async with opened(bot.settings.database) as database:
        await database.call(lambda connection: connection.execute(change).rowcount)


async def test_a_job_whose_workflow_is_gone(on_each: Bot) -> None:
    """It ends as failed: told, its agent stopped, its machine and its issue free."""
    job_id = await interrupted(on_each)
    await lose_workflow(on_each.settings.database, f"job/{job_id}")
    async with on_each.serving() as service:
        assert await on_each.next_text() == snapshot("""\
<!-- ptq:closing job=YYYYMMDD-pytorch-1 run=1 -->
@maintainer This job failed. I lost track of this job before it ended, by a mistake of mine. Please ask again.

What is known is in [the comment above](https://github.com/pytorch/pytorch/issues/1#issuecomment-ID).\
""")
        assert (await on_each.job()).state is JobState.FAILED
        await released(service.leases)
        assert on_each.report().partition("Last update")[0] == snapshot("""\
<!-- ptq:progress job=YYYYMMDD-pytorch-1 run=1 -->
**This investigation has failed** (job `YYYYMMDD-pytorch-1`), as [asked for](https://github.com/pytorch/pytorch/issues/1#issuecomment-ID) by maintainer.

- ✓ Reserve a machine: `gpu-1`, `1 × h100`
- ✓ Prepare PyTorch on it: torch `0.3.0`
- ✗ Investigate
- – Give the machine back
- – Check and publish the patch

I lost track of this job before it ended, by a mistake of mine. Please ask again.

Ended DATE UTC. It took N s.\
""")
        on_each.agent_does(scenes.not_reproduced())
        await on_each.comment("/ptq investigate")
        assert "waiting for a machine" in await on_each.next_text()
        assert "I ran the repro myself" in await on_each.next_text()
        await on_each.job()


async def test_a_lease_that_was_left_behind(on_each: Bot) -> None:
    """A job that has ended keeps no machine, and its agent does not stay on it."""
    job_id = await interrupted(on_each)
    pid = await agent_of(on_each, job_id)
    assert is_alive(pid)
    await lose_workflow(on_each.settings.database, f"job/{job_id}")
    async with opened(on_each.settings.database) as database:
        await Jobs(database).finish(job_id, JobState.FAILED)
        assert len(await Leases(database).living()) == 1
    async with on_each.serving() as service:
        await released(service.leases)
        await gone(pid)
        assert "went wrong" in await on_each.next_text()
        await on_each.edited("✗ Investigate")


async def test_a_machine_that_an_ended_job_waits_for(on_each: Bot) -> None:
    """A place in the queue that nobody waits in is given up."""
    job_id = await ended(on_each)
    async with opened(on_each.settings.database) as database:
        await Leases(database).open(LeaseId(f"{job_id}/2"), job_id, "pool", REQUEST)
    async with on_each.serving() as service:
        await released(service.leases)


async def test_a_lease_of_a_provider_that_is_gone(on_each: Bot) -> None:
    """It is kept until its own end, because nobody can say that it was given back."""
    job_id = await ended(on_each)
    lease = LeaseId(f"{job_id}/2")
    async with opened(on_each.settings.database) as database:
        await Leases(database).open(lease, job_id, "rented", REQUEST)
        await Leases(database).open(LeaseId(f"{job_id}/3"), job_id, "pool", REQUEST)
    async with on_each.serving() as service:
        await released(service.leases, but=1)
        assert [one.id for one in await service.leases.living()] == [lease]


async def test_a_closing_comment_that_was_never_written(on_each: Bot) -> None:
    """Who asked is told after all, once."""
    job_id = await ended(on_each)
    closing = on_each.comments()[1]
    on_each.issue.comments.remove(closing)
    await forget(on_each, job_id, closing_comment_id=None)
    async with opened(on_each.settings.database) as database:
        # Nor was it known to be there: a comment that somebody deleted is not written again.
        forgotten = comments.delete().where(comments.c.marker.contains("closing"))
        await database.call(lambda connection: connection.execute(forgotten).rowcount)
    async with on_each.serving() as service:
        assert "I ran the repro myself" in await on_each.next_text()
        await told(service.jobs)
        again = (await service.jobs.get(job_id)).closing_comment_id
    assert [one.id for one in on_each.comments()][1:] == [again]


async def test_a_closing_comment_that_was_written(on_each: Bot) -> None:
    """Only our record of it was lost: it is found again."""
    job_id = await ended(on_each)
    closing = on_each.comments()[1]
    await forget(on_each, job_id, closing_comment_id=None)
    async with on_each.serving() as service:
        await told(service.jobs)
        assert (await service.jobs.get(job_id)).closing_comment_id == closing.id
    assert len(on_each.comments()) == 2


async def test_a_report_that_was_never_written(on_each: Bot) -> None:
    """A progress comment does not say for ever that the work goes on."""
    job_id = await ended(on_each)
    report = on_each.comments()[0].body
    on_each.github.world.edit_comment(on_each.comments()[0], "**I am investigating**")
    await forget(on_each, job_id, reported_at=None)
    async with on_each.serving():
        await on_each.edited("This investigation has finished")
    assert on_each.comments()[0].body.partition("Ended")[0] == report.partition("Ended")[0]


async def test_github_refuses_what_is_owed(on_each: Bot) -> None:
    """A thread that was locked meanwhile is left alone: it is asked once."""
    job_id = await ended(on_each)
    on_each.issue.comments.remove(on_each.comments()[1])
    await forget(on_each, job_id, closing_comment_id=None)
    often(on_each)
    on_each.github.fail_next("POST", "*/comments", status=403, body={"message": "Locked"})
    async with on_each.serving() as service:
        await told(service.jobs)
    assert len(on_each.comments()) == 1


async def test_a_living_job_is_left_alone(on_each: Bot) -> None:
    """However often leases and jobs are looked after."""
    gate = on_each.directory / "go"
    on_each.agent_does([{"wait_for": str(gate)}, *scenes.not_reproduced()])
    often(on_each)
    async with on_each.serving():
        await on_each.comment("/ptq investigate")
        await on_each.next_text()
        await on_each.edited("▶ Investigate")
    async with on_each.serving() as service:
        await on_each.reached(JobState.INVESTIGATING)
        assert len(await service.leases.living()) == 1
        gate.touch()
        assert "I ran the repro myself" in await on_each.next_text()
        assert (await on_each.job()).state is JobState.FINISHED
    assert len(on_each.comments()) == 2
