"""Many small writes become one transaction, and each caller's own is whole or not at all."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from bot.models import AgentProgress, DeliveryId, JobId
from bot.store import Deliveries, Jobs
from tests import test_store
from tests.test_store import Enqueued, draft

if TYPE_CHECKING:
    import sqlalchemy as sa

    from bot.store import Database

database = test_store.database


async def test_deliveries_of_one_moment_share_a_transaction(database: Database) -> None:
    """Each is recorded and its handling enqueued once, also when it came twice in that moment."""
    deliveries = Deliveries(database)
    connections: list[sa.Connection] = []
    names = [DeliveryId(f"delivery-{number % 100}") for number in range(150)]

    new = await asyncio.gather(
        *(deliveries.record(name, "issue_comment", "{}", connections.append) for name in names)
    )

    assert new == [True] * 100 + [False] * 50
    assert len(connections) == 100
    assert len(set(connections)) < 10
    assert await deliveries.waiting() == 100


async def test_work_that_raises_disturbs_nobody_else(database: Database) -> None:
    """Who shared its transaction is done all the same, and nothing of its own is left."""
    deliveries = Deliveries(database)

    def enqueue(_connection: sa.Connection) -> None:
        raise LookupError("a bug")

    good = [deliveries.record(DeliveryId(f"good-{n}"), "ping", "{}", lambda _: None) for n in "ab"]
    bad = deliveries.record(DeliveryId("bad"), "ping", "{}", enqueue)
    first, failed, second = await asyncio.gather(good[0], bad, good[1], return_exceptions=True)

    assert (first, second) == (True, True)
    assert isinstance(failed, LookupError)
    assert await deliveries.waiting() == 2
    with pytest.raises(LookupError):
        await deliveries.read(DeliveryId("bad"))


async def test_the_progress_of_many_jobs_is_written_while_they_are_followed(
    database: Database,
) -> None:
    """Only the newest counts, and at the end nothing is left unwritten."""
    jobs = Jobs(database)
    ids: list[JobId] = []
    for issue in range(5):
        job_id, _ = await test_store.accept(jobs, draft(issue=issue, comment=issue), Enqueued())
        ids.append(job_id)

    async def follow(job_id: JobId) -> None:
        async with jobs.progress.written():
            for turns in range(1, 10):
                jobs.progress.keep(job_id, AgentProgress(turns=turns))
                await asyncio.sleep(0)

    await asyncio.gather(*map(follow, ids))

    assert [(await jobs.get(job_id)).progress for job_id in ids] == [AgentProgress(turns=9)] * 5
