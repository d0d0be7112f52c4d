"""The book of workers: who lives, who left, who was taken over."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bot.store import Database, Workers

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

LONG = timedelta(hours=1)
AT_ONCE = timedelta(seconds=-1)
"""Everybody was silent for longer than this."""


@pytest.fixture
async def workers(database_url: str) -> AsyncGenerator[Workers]:
    """The book, with two workers in it."""
    database = await asyncio.to_thread(Database, database_url)
    await database.upgrade()
    workers = Workers(database)
    for worker_id in ("a", "b"):
        await workers.join(worker_id, host="host", process=1)
    yield workers
    await database.close()


async def test_a_silent_worker_is_taken_over_for_ever(workers: Workers) -> None:
    """Its row is a tombstone: no heartbeat brings it back."""
    assert await workers.take_over(LONG, by="b") == []
    assert await workers.beat("a")
    assert await workers.take_over(AT_ONCE, by="b") == ["a"]
    assert not await workers.beat("a")
    assert await workers.take_over(AT_ONCE, by="b") == []
    assert await workers.gone() == ["a"]
    assert [(row.id, row.state, row.taken_by) for row in await workers.all()] == [
        ("a", "dead", "b"),
        ("b", "working", None),
    ]


async def test_nobody_takes_itself_over(workers: Workers) -> None:
    """A worker that asks is alive."""
    assert await workers.take_over(AT_ONCE, by="a") == ["b"]
    assert await workers.beat("a")


async def test_two_take_over_at_once(workers: Workers) -> None:
    """Each worker that is silent is declared dead by one other."""
    await workers.join("c", host="host", process=1)
    taken = await asyncio.gather(*(workers.take_over(AT_ONCE, by="c") for _ in range(8)))
    assert sorted(worker_id for ids in taken for worker_id in ids) == ["a", "b"]


async def test_a_worker_that_left_is_gone(workers: Workers) -> None:
    """What it had begun is anybody's, at once."""
    await workers.leave("a")
    assert await workers.gone() == ["a"]
    assert not await workers.beat("a")
    assert await workers.take_over(AT_ONCE, by="b") == []


async def test_tombstones_are_forgotten(workers: Workers) -> None:
    """After a week nobody needs to know; the living stay."""
    await workers.leave("a")
    await workers.forget(LONG)
    assert len(await workers.all()) == 2
    await workers.forget(AT_ONCE)
    assert [row.id for row in await workers.all()] == ["b"]
