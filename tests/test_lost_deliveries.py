"""Deliveries that were lost on the way, or found no room, come again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, cast

import pytest
import sqlalchemy as sa

from bot.errors import DatabaseUnavailable
from bot.models import DeliveryId
from bot.store import Database, Deliveries, QueuedDeliveries
from bot.store.tables import deliveries
from bot.sweeper.lost_deliveries import PROBLEM, LostDeliveries
from tests.databases import lose_workflow, opened

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bot.durable import Engine
    from tests.harness import Bot


async def in_the_middle_of_a_delivery(bot: Bot) -> DeliveryId:
    """Stop the service while it handles a delivery; return which one."""
    gate = bot.github.hold_next("POST", "*/reactions")
    async with bot.serving():
        await bot.comment("/ptq help")
        await gate.met.wait()
    gate.set()
    return DeliveryId(bot.github.deliveries[-1].guid)


async def test_a_delivery_whose_workflow_is_gone(on_each: Bot) -> None:
    """It is handled anew: whoever asked gets the answer, once."""
    delivery_id = await in_the_middle_of_a_delivery(on_each)
    await lose_workflow(on_each.settings.database, f"delivery/{delivery_id}")
    async with on_each.serving():
        assert "/ptq investigate" in await on_each.next_text()
        await on_each.handled()
    assert len(on_each.comments()) == 1


class Nothing:
    """An engine in which nothing waits or runs."""

    async def unended(self, workflow_ids: Sequence[str]) -> set[str]:
        """Return none."""
        del workflow_ids
        return set()

    async def forget(self, workflow_id: str) -> None:
        """Have no record of it."""


async def test_an_old_delivery_whose_workflow_is_gone(database: Database) -> None:
    """Nobody waits for it any more: it makes room for the others."""
    known = Deliveries(database)
    for name in ("old", "young"):
        await known.record(DeliveryId(name), "issue_comment", "{}")
    await known.enqueue(lambda _id: lambda _connection: None, at_once=2, most=2)
    old = datetime.now(UTC) - timedelta(hours=7)
    change = deliveries.update().where(deliveries.c.id == "old").values(received_at=old)
    await database.call(lambda connection: connection.execute(change).rowcount)
    lost = LostDeliveries(cast("Engine", Nothing()), QueuedDeliveries(database))
    assert await lost.run() == {"lost": 2}
    states = sa.select(deliveries.c.id, deliveries.c.state, deliveries.c.problem)
    rows = await database.call(lambda connection: connection.execute(states).all())
    assert {tuple(row) for row in rows} == {("old", "failed", PROBLEM), ("young", "waiting", None)}


async def test_a_full_disk_is_an_outage(tmp_path: Path) -> None:
    """Nothing fails for good while there is no room: steps wait, and deliveries come again."""
    async with opened(f"sqlite:///{tmp_path / 'ptq.sqlite'}") as database:

        async def limit(pages: int) -> None:
            pragma = f"PRAGMA max_page_count = {pages}"
            await database.call(lambda connection: connection.exec_driver_sql(pragma).scalar())

        known = Deliveries(database)
        await limit(1)
        with pytest.raises(DatabaseUnavailable):
            await known.record(DeliveryId("d-1"), "issue_comment", "x" * 100_000)
        await limit(1_000_000)
        assert await known.record(DeliveryId("d-1"), "issue_comment", "x" * 100_000)
