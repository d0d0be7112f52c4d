"""Many small writes become one transaction, and each caller's own is whole or not at all."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from bot.models import AgentProgress, DeliveryId, JobId
from bot.store import Deliveries, Jobs
from bot.store.together import Together
from tests.test_store import Enqueued, accept, draft

if TYPE_CHECKING:
    from collections.abc import Sequence

    import sqlalchemy as sa

    from bot.store import Database

_NO_TEXT = "\ud800"
"""Half a character, which neither database writes."""


async def test_deliveries_of_one_moment_are_each_recorded_once(database: Database) -> None:
    """Also one that came twice in that moment."""
    deliveries = Deliveries(database)
    names = [DeliveryId(f"delivery-{number % 100}") for number in range(150)]

    new = await asyncio.gather(*(deliveries.record(name, "issue_comment", "{}") for name in names))

    assert new == [True] * 100 + [False] * 50
    assert await deliveries.waiting() == 100


async def test_what_comes_while_a_transaction_runs_shares_the_next(database: Database) -> None:
    """Each caller gets the result of its own item."""
    batches: list[int] = []

    def write(_connection: sa.Connection, items: Sequence[int]) -> list[int]:
        batches.append(len(items))
        return [item * 2 for item in items]

    together = Together(database, write)
    results = await asyncio.gather(*(together.call(number) for number in range(150)))

    assert results == [number * 2 for number in range(150)]
    assert len(batches) < 10


async def test_an_item_that_cannot_be_written_disturbs_no_other(database: Database) -> None:
    """Who shared its transaction is written all the same, and nothing of its own is left."""
    deliveries = Deliveries(database)
    good = [deliveries.record(DeliveryId(f"good-{name}"), "ping", "{}") for name in "ab"]
    bad = deliveries.record(DeliveryId("bad"), "ping", _NO_TEXT)

    first, failed, second = await asyncio.gather(good[0], bad, good[1], return_exceptions=True)

    assert (first, second) == (True, True)
    assert isinstance(failed, Exception)
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
        job_id, _ = await accept(jobs, draft(issue=issue, comment=issue), Enqueued())
        ids.append(job_id)

    async def follow(job_id: JobId) -> None:
        async with jobs.progress.written():
            for turns in range(1, 10):
                jobs.progress.keep(job_id, AgentProgress(turns=turns))
                await asyncio.sleep(0)

    await asyncio.gather(*map(follow, ids))

    assert [(await jobs.get(job_id)).progress for job_id in ids] == [AgentProgress(turns=9)] * 5
