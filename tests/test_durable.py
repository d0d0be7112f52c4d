"""Workflows survive their process: what was recorded is not done again."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
import structlog.testing

from bot.durable import ONCE, Engine, Patience, Queue
from bot.durable.bodies import WORKFLOW_BROKE
from bot.errors import GitHubNotFound, GitHubUnavailable, PtqError
from bot.store import Database

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable
    from pathlib import Path

QUEUE = Queue("test")
NO_GRACE = timedelta(0)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncGenerator[Database]:
    """Give each test a database of its own."""
    url = f"sqlite:///{tmp_path / 'ptq.sqlite'}"
    database = await asyncio.to_thread(Database, url)
    await database.upgrade()
    yield database
    await database.close()


@asynccontextmanager
async def launched(
    database: Database, body: Callable[[Engine, str], Awaitable[None]]
) -> AsyncGenerator[Engine]:
    """Run an engine that knows one workflow, ``body``."""
    engine = Engine(database.url, executor_id="test", poll=timedelta(milliseconds=20))

    async def workflow(argument: str) -> None:
        await body(engine, argument)

    engine.register("story", workflow, queue=QUEUE)
    await engine.upgrade()
    await engine.launch()
    try:
        yield engine
    finally:
        await engine.close(grace=NO_GRACE)


async def start(engine: Engine, database: Database, *, workflow_id: str) -> None:
    """Enqueue the workflow."""
    await database.call(
        engine.enqueuer("story", queue=QUEUE, workflow_id=workflow_id, argument="x")
    )


async def test_a_recorded_step_is_not_done_again(database: Database) -> None:
    """A process ends in the middle of the second step; the next one does not repeat the first."""
    done: list[str] = []
    reached, finished = asyncio.Event(), asyncio.Event()

    async def body(engine: Engine, argument: str) -> None:
        async def first() -> str:
            done.append("first")
            return argument + "!"

        async def second() -> str:
            done.append("second")
            reached.set()
            if len(done) == 2:
                await asyncio.Event().wait()
            return "2"

        assert await engine.step("first", first, returns=str) == "x!"
        await engine.step("second", second, returns=str, waits=True)
        finished.set()

    async with launched(database, body) as engine:
        await start(engine, database, workflow_id="one")
        await reached.wait()
    async with launched(database, body):
        await finished.wait()

    assert done == ["first", "second", "second"]


async def test_a_running_step_is_recorded_before_the_engine_stops(database: Database) -> None:
    """Stopping lets a short step end, records it, and starts no other."""
    done: list[str] = []
    running, may_end, finished = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def body(engine: Engine, argument: str) -> None:
        async def short() -> str:
            running.set()
            await may_end.wait()
            done.append("short")
            return argument

        async def after() -> str:
            done.append("after")
            return argument

        await engine.step("short", short, returns=str)
        await engine.step("after", after, returns=str)
        finished.set()

    async with launched(database, body) as engine:
        await start(engine, database, workflow_id="one")
        await running.wait()
        closing = asyncio.ensure_future(engine.close(grace=timedelta(seconds=30)))
        asyncio.get_running_loop().call_soon(may_end.set)
        await closing
    assert done == ["short"]
    assert not finished.is_set()

    async with launched(database, body):
        await finished.wait()
    assert done == ["short", "after"]


async def test_a_step_that_comes_when_the_engine_has_stopped(database: Database) -> None:
    """It is not begun, and the workflow goes on there after the next launch."""
    between, may_go, left, finished = (asyncio.Event() for _ in range(4))
    done: list[str] = []

    async def body(engine: Engine, argument: str) -> None:
        async def step() -> str:
            done.append(argument)
            return argument

        await engine.step("first", step, returns=str)
        between.set()
        await may_go.wait()
        try:
            await engine.step("second", step, returns=str)
        except asyncio.CancelledError:
            left.set()
            raise
        finished.set()

    async with launched(database, body) as engine:
        await start(engine, database, workflow_id="one")
        await between.wait()
    may_go.set()
    await left.wait()
    assert done == ["x"]
    async with launched(database, body):
        await finished.wait()
    assert done == ["x", "x"]


async def test_the_same_workflow_is_enqueued_once(database: Database) -> None:
    """A workflow id stands for one run, however often it is asked for."""
    runs: list[str] = []
    other = asyncio.Event()

    async def body(engine: Engine, argument: str) -> None:
        async def note() -> str:
            runs.append(argument)
            if len(runs) == 2:
                other.set()
            return ""

        await engine.step("note", note, returns=str)

    async with launched(database, body) as engine:
        await start(engine, database, workflow_id="one")
        await start(engine, database, workflow_id="one")
        await start(engine, database, workflow_id="two")
        await other.wait()
    assert len(runs) == 2


async def test_an_enqueue_is_undone_with_its_transaction(database: Database) -> None:
    """Nothing is started for a delivery whose row was not committed."""
    runs: list[str] = []
    ended = asyncio.Event()

    async def body(engine: Engine, argument: str) -> None:
        async def note() -> str:
            runs.append(argument)
            ended.set()
            return ""

        await engine.step("note", note, returns=str)

    def enqueue_and_fail(connection: object, enqueue: Callable[[object], None]) -> None:
        enqueue(connection)
        raise PtqError("the row was refused")

    async with launched(database, body) as engine:
        lost = engine.enqueuer("story", queue=QUEUE, workflow_id="lost", argument="lost")
        with pytest.raises(PtqError):
            await database.call(enqueue_and_fail, lost)  # pyright: ignore[reportArgumentType] -- a connection is an object
        await start(engine, database, workflow_id="kept")
        await ended.wait()
    assert runs == ["x"]


async def test_errors_are_recorded_with_their_class(database: Database) -> None:
    """A workflow that goes on after a restart decides by the same error."""
    seen: list[PtqError] = []
    tries: list[int] = []
    ended = asyncio.Event()

    async def body(engine: Engine, argument: str) -> None:
        async def fail() -> str:
            tries.append(1)
            raise GitHubNotFound(f"no issue {argument}", status=404)

        try:
            await engine.step("fail", fail, returns=str, patience=ONCE)
        except GitHubNotFound as error:
            seen.append(error)
        ended.set()

    async with launched(database, body) as engine:
        await start(engine, database, workflow_id="one")
        await ended.wait()
    assert [str(error) for error in seen] == ["no issue x"]
    assert len(tries) == 1


async def test_only_what_may_pass_is_tried_again(database: Database) -> None:
    """A step with patience outlives an outage, and its tries are one step."""
    tries: list[int] = []
    ended = asyncio.Event()
    patience = Patience((GitHubUnavailable,), timedelta(minutes=1), first=timedelta(0))

    async def body(engine: Engine, argument: str) -> None:
        async def flaky() -> str:
            tries.append(1)
            if len(tries) < 3:
                raise GitHubUnavailable("502")
            return argument

        assert await engine.step("flaky", flaky, returns=str, patience=patience) == "x"
        ended.set()

    async with launched(database, body) as engine:
        await start(engine, database, workflow_id="one")
        await ended.wait()
    assert len(tries) == 3


async def test_what_a_step_did_cannot_be_recorded(database: Database) -> None:
    """The engine's database refuses for a while: the workflow goes on in the same process."""
    done: list[str] = []
    running, may_end, finished = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def body(engine: Engine, argument: str) -> None:
        async def only() -> str:
            running.set()
            await may_end.wait()
            done.append(argument)
            return argument

        await engine.step("only", only, returns=str)
        finished.set()

    async def rename(old: str, new: str) -> None:
        change = sa.text(f"ALTER TABLE {old} RENAME TO {new}")
        await database.call(lambda connection: connection.execute(change).rowcount)

    async with launched(database, body) as engine:
        await start(engine, database, workflow_id="one")
        await running.wait()
        await rename("operation_outputs", "away")
        with structlog.testing.capture_logs() as lines:
            may_end.set()
            is_told = False
            while not is_told:
                is_told = any(line["event"] == WORKFLOW_BROKE for line in lines)
                await asyncio.sleep(0 if is_told else 0.01)
        assert await engine.unended(["one"]) == {"one"}
        await rename("away", "operation_outputs")
        await finished.wait()
    assert done[-1] == "x"
    assert not await ended_wrongly(database)


async def ended_wrongly(database: Database) -> list[str]:
    """Return the workflows that are recorded as failed."""
    failed = sa.text("SELECT workflow_uuid FROM workflow_status WHERE status = 'ERROR'")
    return await database.call(lambda connection: list(connection.scalars(failed)))
