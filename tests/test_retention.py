"""What is old is deleted, what is young stays, and what is needed stays in any case."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa

from bot.models import GpuRequest, JobId, JobState, LeaseId
from bot.store import (
    Database,
    Jobs,
    Leases,
    LeftDirectories,
    tables,
)
from demo import story
from tests import scenes
from tests.databases import count, engine_schema, opened
from tests.harness import REPORTER, REPOSITORY
from tests.test_store import Enqueued, accept, draft

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from tests.harness import Bot

LOOK = 0.02
REQUEST = GpuRequest(gpu_type="h100", gpus=1, duration=timedelta(hours=1))


async def are_empty(database: Database, *names: str) -> bool:
    """Whether these tables have no row."""
    return not sum([await count(database, name) for name in names])


def often(bot: Bot) -> None:
    """Delete what is old again and again."""
    schedule = bot.settings.schedule.model_copy(update={"pruning": timedelta(seconds=0.05)})
    bot.settings = bot.settings.model_copy(update={"schedule": schedule})


async def let_pass(database: Database, age: timedelta) -> None:
    """Make everything that the database holds older."""
    moment = datetime.now(UTC) - age

    def grow_old(connection: sa.Connection) -> None:
        for table, columns in (
            (tables.deliveries, ("received_at", "handled_at")),
            (tables.commands, ("created_at",)),
            (tables.jobs, ("created_at", "updated_at")),
        ):
            connection.execute(table.update().values(dict.fromkeys(columns, moment)))
        began = round(moment.timestamp() * 1000)
        workflows = sa.table(
            "workflow_status", sa.column("created_at"), schema=engine_schema(database)
        )
        connection.execute(workflows.update().values(created_at=began))

    await database.call(grow_old)


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Wait for what no change on GitHub tells."""
    waits = True
    while waits:
        waits = not await holds()
        await asyncio.sleep(LOOK if waits else 0)


async def ended(bot: Bot) -> JobId:
    """Have a job done to its end, and stop the service."""
    bot.agent_does(scenes.not_reproduced())
    async with bot.serving():
        await bot.comment("/ptq investigate")
        await bot.next_text()
        await bot.next_text()
        job = await bot.job()
        await bot.handled()
    return job.id


def directory(bot: Bot, job_id: JobId) -> Path:
    """Return a job's directory on the machine."""
    return bot.machine.home / "ptq_workspace" / "jobs" / job_id


def files(bot: Bot, job_id: JobId) -> Path:
    """Return where this host keeps a job's artifacts."""
    return bot.settings.state / "jobs" / job_id


async def test_an_old_job_is_forgotten(on_each: Bot) -> None:
    """Its rows, its documents, its files here and on the machine, and the engine's records."""
    job_id = await ended(on_each)
    assert directory(on_each, job_id).is_dir()
    async with opened(on_each.settings.database) as database:
        await let_pass(database, timedelta(days=91))
    for path in (files(on_each, job_id), *files(on_each, job_id).iterdir()):
        os.utime(path, (0, 0))
    asked = on_each.github.comments(REPOSITORY, on_each.issue.number)[0]
    asked.created_at = asked.updated_at = datetime.now(UTC) - timedelta(days=91)
    often(on_each)
    async with opened(on_each.settings.database) as database, on_each.serving():
        names = ("ptq_jobs", "ptq_leases", "ptq_documents", "ptq_commands", "operation_outputs")
        await until(lambda: are_empty(database, *names))
        await until(lambda: gone(files(on_each, job_id)))
        assert await gone(directory(on_each, job_id))


async def gone(path: Path) -> bool:
    """Whether there is nothing any more."""
    return not await asyncio.to_thread(path.exists)


async def test_a_directory_on_a_machine_goes_first(on_each: Bot) -> None:
    """After two weeks the machine is clean; the job and its documents stay."""
    job_id = await ended(on_each)
    on_each.issue = on_each.github.add_issue(REPOSITORY, story.TITLE, story.BODY, author=REPORTER)
    young = await ended(on_each)
    async with opened(on_each.settings.database) as database:
        await let_pass(database, timedelta(days=15))
        await Jobs(database).set_machine(young, "gpu-1")
    async with on_each.serving() as service:
        await until(lambda: gone(directory(on_each, job_id)))
        assert (await service.jobs.get(job_id)).state is JobState.FINISHED
        assert "verdict.json" in await service.documents.read_all(job_id, 1)
    assert directory(on_each, young).is_dir()
    assert files(on_each, job_id).is_dir()


async def test_a_machine_that_does_not_answer(on_each: Bot) -> None:
    """A later pass removes what this one could not."""
    job_id = await ended(on_each)
    async with opened(on_each.settings.database) as database:
        await let_pass(database, timedelta(days=15))
    await on_each.machine.refuse()
    often(on_each)
    async with on_each.serving():
        await on_each.machine.accept()
        await until(lambda: gone(directory(on_each, job_id)))


async def test_a_machine_that_is_away_keeps_no_other_back(database: Database) -> None:
    """However many directories are left on it: those on other machines come first then."""
    jobs, leases, left = Jobs(database), Leases(database), LeftDirectories(database)
    for number, machine in enumerate(("gpu-1", "gpu-1", "gpu-2"), start=1):
        job_id, _ = await accept(jobs, draft(issue=number, comment=number), Enqueued())
        lease_id = LeaseId(f"{job_id}/1")
        await leases.open(lease_id, job_id, "pool", REQUEST)
        await leases.claim(lease_id, [(machine, 2)])
        await leases.release(lease_id)
        await jobs.finish(job_id, JobState.FINISHED)
    later = datetime.now(UTC) + timedelta(minutes=1)
    first = await left.of_jobs(ended_before=later, limit=2)
    assert {one.machine for one in first} == {"gpu-1"}
    rest = await left.of_jobs(ended_before=later, limit=2, without={"gpu-1"})
    assert [one.machine for one in rest] == ["gpu-2"]


async def test_the_oldest_are_on_a_machine_that_is_away(on_each: Bot) -> None:
    """More of them than a pass takes: the one on another machine is removed all the same."""
    job_id = await ended(on_each)
    async with opened(on_each.settings.database) as database:
        await let_pass(database, timedelta(days=15))
        jobs, leases = Jobs(database), Leases(database)
        for number in range(101, 160):
            away, _ = await accept(jobs, draft(issue=number, comment=number), Enqueued())
            lease_id = LeaseId(f"{away}/1")
            await leases.open(lease_id, away, "pool", REQUEST)
            await leases.claim(lease_id, [("gpu-9", 1)])
            await leases.release(lease_id)
            await jobs.finish(away, JobState.FINISHED)
            change = tables.jobs.update().where(tables.jobs.c.id == away)
            old = change.values(updated_at=datetime.now(UTC) - timedelta(days=20))
            requested = tables.leases.update().where(tables.leases.c.id == lease_id)
            first = requested.values(requested_at=datetime.now(UTC) - timedelta(days=20))

            def grow_old(
                connection: sa.Connection, old: sa.Update = old, first: sa.Update = first
            ) -> None:
                connection.execute(old)
                connection.execute(first)

            await database.call(grow_old)
    nobody = on_each.settings.machines[0].model_copy(update={"name": "gpu-9", "port": 9})
    machines = (*on_each.settings.machines, nobody)
    on_each.settings = on_each.settings.model_copy(update={"machines": machines})
    async with on_each.serving():
        await until(lambda: gone(directory(on_each, job_id)))


async def test_an_unfinished_job_is_not_old(on_each: Bot) -> None:
    """However long it takes: nothing of it is touched."""
    gate = on_each.directory / "go"
    on_each.agent_does([{"wait_for": str(gate)}, *scenes.not_reproduced()])
    async with on_each.serving():
        await on_each.comment("/ptq investigate")
        await on_each.next_text()
        await on_each.edited("▶ Investigate")
    async with opened(on_each.settings.database) as database:
        await let_pass(database, timedelta(days=400))
    asked = on_each.github.comments(REPOSITORY, on_each.issue.number)[0]
    asked.created_at = asked.updated_at = datetime.now(UTC) - timedelta(days=400)
    gate.touch()
    async with on_each.serving():
        assert "I ran the repro myself" in await on_each.next_text()
        assert (await on_each.job()).state is JobState.FINISHED
    assert len(on_each.github.comments(REPOSITORY, on_each.issue.number)) == 3
