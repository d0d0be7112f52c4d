"""What is old is deleted, what is young stays, and what is needed stays in any case."""

from __future__ import annotations

import asyncio
import os
import threading
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from bot.errors import ConfigurationError
from bot.models import DeliveryId, GpuRequest, JobId, JobState, LeaseId
from bot.settings import Settings
from bot.store import (
    Database,
    Deliveries,
    Documents,
    Jobs,
    Leases,
    LeftDirectories,
    LeftDirectory,
    Pruning,
    tables,
)
from demo import story
from tests import scenes
from tests.harness import REPORTER, REPOSITORY, on_postgres
from tests.test_store import Enqueued, accept, draft

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable
    from pathlib import Path

    from tests.harness import Bot

LOOK = 0.02
REQUEST = GpuRequest(gpu_type="h100", gpus=1, duration=timedelta(hours=1))


@asynccontextmanager
async def opened(url: str) -> AsyncGenerator[Database]:
    """Open the database of a service that does not run."""
    database = await asyncio.to_thread(Database, url)
    await database.upgrade()
    try:
        yield database
    finally:
        await database.close()


@pytest.fixture(params=["sqlite", "postgres"])
def world(request: pytest.FixtureRequest, world: Bot) -> Bot:
    """Hold each conversation on either database."""
    if request.param == "postgres":
        on_postgres(world, request.getfixturevalue("postgres"))
    return world


@pytest.fixture
async def database(database_url: str) -> AsyncGenerator[Database]:
    """Give each test a database of its own, of either kind."""
    async with opened(database_url) as database:
        yield database


def engine_schema(database: Database) -> str | None:
    """Return where the engine keeps its tables."""
    return None if database.is_sqlite else "dbos"


async def count(database: Database, table: str) -> int:
    """Return how many rows a table has."""
    schema = None if table.startswith("ptq_") else engine_schema(database)
    query = sa.select(sa.func.count()).select_from(sa.table(table, schema=schema))
    return await database.call(lambda connection: connection.execute(query).scalar_one())


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


async def test_an_old_job_is_forgotten(world: Bot) -> None:
    """Its rows, its documents, its files here and on the machine, and the engine's records."""
    job_id = await ended(world)
    assert directory(world, job_id).is_dir()
    async with opened(world.settings.database) as database:
        await let_pass(database, timedelta(days=91))
    for path in (files(world, job_id), *files(world, job_id).iterdir()):
        os.utime(path, (0, 0))
    asked = world.github.comments(REPOSITORY, world.issue.number)[0]
    asked.created_at = asked.updated_at = datetime.now(UTC) - timedelta(days=91)
    often(world)
    async with opened(world.settings.database) as database, world.serving():
        names = ("ptq_jobs", "ptq_leases", "ptq_documents", "ptq_commands", "operation_outputs")
        await until(lambda: are_empty(database, *names))
        await until(lambda: gone(files(world, job_id)))
        assert await gone(directory(world, job_id))


async def gone(path: Path) -> bool:
    """Whether there is nothing any more."""
    return not await asyncio.to_thread(path.exists)


async def test_a_directory_on_a_machine_goes_first(world: Bot) -> None:
    """After two weeks the machine is clean; the job and its documents stay."""
    job_id = await ended(world)
    world.issue = world.github.add_issue(REPOSITORY, story.TITLE, story.BODY, author=REPORTER)
    young = await ended(world)
    async with opened(world.settings.database) as database:
        await let_pass(database, timedelta(days=15))
        await Jobs(database).set_machine(young, "gpu-1")
    async with world.serving() as service:
        await until(lambda: gone(directory(world, job_id)))
        assert (await service.jobs.get(job_id)).state is JobState.FINISHED
        assert "verdict.json" in await service.documents.read_all(job_id, 1)
    assert directory(world, young).is_dir()
    assert files(world, job_id).is_dir()


async def test_a_machine_that_does_not_answer(world: Bot) -> None:
    """A later pass removes what this one could not."""
    job_id = await ended(world)
    async with opened(world.settings.database) as database:
        await let_pass(database, timedelta(days=15))
    await world.machine.refuse()
    often(world)
    async with world.serving():
        await world.machine.accept()
        await until(lambda: gone(directory(world, job_id)))


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


async def test_the_oldest_are_on_a_machine_that_is_away(world: Bot) -> None:
    """More of them than a pass takes: the one on another machine is removed all the same."""
    job_id = await ended(world)
    async with opened(world.settings.database) as database:
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
    nobody = world.settings.machines[0].model_copy(update={"name": "gpu-9", "port": 9})
    machines = (*world.settings.machines, nobody)
    world.settings = world.settings.model_copy(update={"machines": machines})
    async with world.serving():
        await until(lambda: gone(directory(world, job_id)))


async def test_an_unfinished_job_is_not_old(world: Bot) -> None:
    """However long it takes: nothing of it is touched."""
    gate = world.directory / "go"
    world.agent_does([{"wait_for": str(gate)}, *scenes.not_reproduced()])
    async with world.serving():
        await world.comment("/ptq investigate")
        await world.next_text()
        await world.edited("▶ Investigate")
    async with opened(world.settings.database) as database:
        await let_pass(database, timedelta(days=400))
    asked = world.github.comments(REPOSITORY, world.issue.number)[0]
    asked.created_at = asked.updated_at = datetime.now(UTC) - timedelta(days=400)
    gate.touch()
    async with world.serving():
        assert "I ran the repro myself" in await world.next_text()
        assert (await world.job()).state is JobState.FINISHED
    assert len(world.github.comments(REPOSITORY, world.issue.number)) == 3


async def received(database: Database, delivery: DeliveryId, moment: datetime) -> None:
    """Let a delivery have come at this moment."""
    table = tables.deliveries
    change = table.update().where(table.c.id == delivery).values(received_at=moment)
    await database.call(lambda connection: connection.execute(change).rowcount)


async def test_deliveries_are_kept_for_as_long_as_github_repeats_them(database: Database) -> None:
    """What was ignored goes first, what was handled later, and what waits never."""
    deliveries = Deliveries(database)
    now = datetime.now(UTC)
    for state in ("ignored", "handled", "waiting"):
        for age in (1, 8, 31):
            delivery = DeliveryId(f"{state}-{age}")
            await deliveries.record(delivery, "issues", None if state == "ignored" else "{}")
            if state == "handled":
                await deliveries.close(delivery)
            await received(database, delivery, now - timedelta(days=age))
    assert (
        await Pruning(database).deliveries(
            ignored_before=now - timedelta(days=7), handled_before=now - timedelta(days=30)
        )
        == 3
    )
    rows = sa.select(tables.deliveries.c.id).order_by(tables.deliveries.c.id)
    assert await database.call(lambda connection: list(connection.scalars(rows))) == [
        "handled-1",
        "handled-8",
        "ignored-1",
        "waiting-1",
        "waiting-31",
        "waiting-8",
    ]


async def test_an_old_job_that_is_asked_for_again_in_this_moment(database: Database) -> None:
    """Its next run lives: nothing of the job is deleted under it."""
    jobs, documents = Jobs(database), Documents(database)
    job_id, _ = await accept(jobs, draft(), Enqueued())
    await documents.put(job_id, 1, "verdict.json", "{}")
    await jobs.finish(job_id, JobState.FINISHED)
    begun, may_end = threading.Event(), threading.Event()

    def enqueue(_connection: object, _request: object) -> None:
        begun.set()
        may_end.wait()

    asking = asyncio.ensure_future(
        jobs.accept(
            draft(comment=11),
            delivery_id=DeliveryId("again"),
            ordinal=0,
            enqueue=enqueue,
            again=job_id,
        )
    )
    await asyncio.to_thread(begun.wait)
    pruning = asyncio.ensure_future(Pruning(database).jobs(datetime.now(UTC) + timedelta(hours=1)))
    await asyncio.wait({pruning}, timeout=0.5)
    may_end.set()
    assert (await asking).run == 2
    assert await pruning == 0
    assert (await jobs.get(job_id)).request.run == 2
    assert await documents.read_all(job_id, 1) != {}


async def test_a_job_that_holds_a_machine_is_kept(database: Database) -> None:
    """Its lease has to be given back, and the machine cleaned, however old it is."""
    jobs, leases = Jobs(database), Leases(database)
    held, _ = await accept(jobs, draft(issue=1, comment=1), Enqueued())
    free, _ = await accept(jobs, draft(issue=2, comment=2), Enqueued())
    running, _ = await accept(jobs, draft(issue=3, comment=3), Enqueued())
    for job_id in (held, free):
        await leases.open(LeaseId(f"{job_id}/1"), job_id, "pool", REQUEST)
        await Documents(database).put(job_id, 1, "report.md", "It crashes.")
        await jobs.finish(job_id, JobState.FAILED)
    await leases.claim(LeaseId(f"{free}/1"), [("gpu-1", 1)])
    await leases.release(LeaseId(f"{free}/1"))
    later = datetime.now(UTC) + timedelta(days=1)
    assert await Pruning(database).jobs(later) == 0
    directories = LeftDirectories(database)
    (left,) = await directories.of_jobs(ended_before=later, limit=10)
    assert left == LeftDirectory(free, "pool", "gpu-1")
    await directories.removed(left)
    assert await Pruning(database).jobs(later) == 1
    assert [await count(database, f"ptq_{name}") for name in ("jobs", "leases", "documents")] == [
        2,
        1,
        1,
    ]
    assert await jobs.is_unfinished(running)


async def test_the_file_shrinks(tmp_path: Path) -> None:
    """What SQLite frees is given back to the disk."""
    async with opened(f"sqlite:///{tmp_path / 'ptq.sqlite'}") as database:
        await shrinks(database)


async def shrinks(database: Database) -> None:
    """Delete a job with long documents; its pages are gone."""
    jobs, documents = Jobs(database), Documents(database)
    job_id, _ = await accept(jobs, draft(), Enqueued())
    for number in range(40):
        await documents.put(job_id, 1, f"{number}", "x" * 400_000)
    await jobs.finish(job_id, JobState.FAILED)
    pruning = Pruning(database)
    assert await pruning.jobs(datetime.now(UTC) + timedelta(days=1)) == 1
    await pruning.shrink()
    query = sa.text("PRAGMA page_count")
    pages = await database.call(lambda connection: connection.execute(query).scalar_one())
    assert pages < 200


def test_nothing_may_be_forgotten_that_github_repeats(tmp_path: Path) -> None:
    """A retention that is too short is a wrong setting."""
    environment = {
        "PTQ_STATE_DIR": str(tmp_path),
        "PTQ_RETENTION__IGNORED_DELIVERIES": "3600",
    }
    with pytest.raises(ConfigurationError, match="PTQ_RETENTION__IGNORED_DELIVERIES"):
        Settings.load(environment)
