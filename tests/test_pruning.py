"""What is deleted by its age, and what must not be, in the database alone."""

from __future__ import annotations

import asyncio
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from bot.errors import ConfigurationError
from bot.models import DeliveryId, JobState, LeaseId
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
from tests.databases import count, opened
from tests.test_store import REQUEST, Enqueued, accept, draft

if TYPE_CHECKING:
    from pathlib import Path


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
