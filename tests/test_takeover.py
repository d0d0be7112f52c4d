"""What the engine holds when one executor's work is another's: dbos's part of a take-over."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from bot.durable import Engine, Queue
from bot.store import Database

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

QUEUE = Queue("test")
NO_GRACE = timedelta(0)


class Story:
    """A workflow of two steps; the second one waits until it may end."""

    def __init__(self, database: Database) -> None:
        self.engine = Engine(database.url, executor_id="one", poll=timedelta(milliseconds=20))
        self.engine.register("story", self._run, queue=QUEUE)
        self.database = database
        self.done: list[str] = []
        self.reached = asyncio.Queue[asyncio.Event]()
        self.finished = asyncio.Queue[list[str]]()

    async def enqueue(self) -> None:
        """Start it."""
        work = self.engine.enqueuer("story", queue=QUEUE, workflow_id="one", argument="x")
        await self.database.call(work)

    async def _run(self, _argument: str) -> None:
        async def first() -> str:
            self.done.append("first")
            return "1"

        async def second() -> str:
            may_end = asyncio.Event()
            await self.reached.put(may_end)
            await may_end.wait()
            self.done.append("second")
            return str(len(self.done))

        await self.engine.step("first", first, returns=str)
        ended = await self.engine.step("second", second, returns=str, waits=True)
        await self.finished.put([ended])


@pytest.fixture
async def story(database_url: str) -> AsyncGenerator[Story]:
    """The story, on an engine of either database that is not launched yet."""
    database = await asyncio.to_thread(Database, database_url)
    await database.upgrade()
    story = Story(database)
    await story.engine.upgrade()
    yield story
    await story.engine.close(grace=NO_GRACE)
    await database.close()


async def test_another_executor_goes_on(story: Story) -> None:
    """It gets the recorded steps, when it is told who is gone, and only once."""
    await story.engine.launch("one")
    await story.enqueue()
    await story.reached.get()
    await story.engine.close(grace=NO_GRACE)

    await story.engine.launch("two")
    assert await story.engine.recover(["somebody"]) == 0
    assert story.reached.empty()
    assert await story.engine.recover(["one", "somebody"]) == 1
    may_end = await story.reached.get()
    assert await story.engine.recover(["one"]) == 0
    may_end.set()
    await story.finished.get()
    assert story.done == ["first", "second"]


async def test_a_process_that_is_started_again_and_again(story: Story) -> None:
    """However often it died in the middle of everybody's work, that goes on."""
    await story.engine.launch("one")
    await story.enqueue()
    await story.reached.get()
    await story.engine.close(grace=NO_GRACE)
    schema = None if story.database.is_sqlite else "dbos"
    table = sa.table("workflow_status", sa.column("recovery_attempts"), schema=schema)
    died = table.update().values(recovery_attempts=1_000)
    await story.database.call(lambda connection: connection.execute(died).rowcount)

    await story.engine.launch("one")
    (await story.reached.get()).set()
    await story.finished.get()
    assert story.done == ["first", "second"]


async def test_an_execution_that_lost_its_workflow_records_nothing(story: Story) -> None:
    """It may do a step to its end; what counts is what the new owner does."""
    await story.engine.launch("one")
    await story.enqueue()
    lost = await story.reached.get()
    assert await story.engine.recover(["one"]) == 1
    owner = await story.reached.get()
    lost.set()
    owner.set()
    ended = await story.finished.get()
    assert story.done == ["first", "second", "second"]
    assert story.finished.empty()
    assert ended in (["2"], ["3"])
