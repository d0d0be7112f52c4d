"""How long a step waits for what does not answer: from the first failure, over restarts too."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import stamina

from bot.durable import Engine, Patience, Queue, answered
from bot.durable.outage import MOST, Outage
from bot.errors import Fenced, MachineUnreachable, PtqError
from bot.store import Database, Outages, Pruning

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

QUEUE = Queue("test")
STEP = "job/1/3"
PATIENCE = Patience(
    (MachineUnreachable,),
    timedelta(seconds=0.4),
    first=timedelta(seconds=0.02),
    longest=timedelta(seconds=0.04),
)


@asynccontextmanager
async def process(
    database: Database,
    work: Callable[[], Awaitable[str]],
    ended: asyncio.Future[str],
    *,
    patience: Patience = PATIENCE,
) -> AsyncGenerator[None]:
    """Run a process whose only workflow has one step; tell how that ended."""
    url = database.url
    engine = Engine(
        url, executor_id="test", poll=timedelta(milliseconds=20), outages=Outages(database)
    )

    async def story(_argument: str) -> None:
        try:
            said = await engine.step("only", work, returns=str, patience=patience)
        except PtqError as error:
            said = type(error).__name__
        if not ended.done():
            ended.set_result(said)

    engine.register("story", story, queue=QUEUE)
    await engine.upgrade()
    await engine.launch()
    enqueue = engine.enqueuer("story", queue=QUEUE, workflow_id="job/1", argument="x")
    await database.call(enqueue)
    try:
        # As in production: it waits between the tries, and tries until its patience is over.
        with stamina.set_testing(testing=False):
            yield
    finally:
        await engine.close(grace=timedelta(0))


async def rows(database: Database) -> int:
    """Return how many outages are written down, by pruning them all."""
    return await Pruning(database).outages(datetime.now(UTC) + timedelta(hours=1))


async def test_restarts_take_nothing_off(database: Database) -> None:
    """The step ends, though the process is restarted more often than a step is patient."""
    tries = asyncio.Semaphore(0)
    ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def work() -> str:
        tries.release()
        raise MachineUnreachable("machine gpu-1 does not answer")

    # What three tries take is far less than what the step may take in all.
    patience = replace(
        PATIENCE,
        total=timedelta(seconds=1.5),
        first=timedelta(seconds=0.05),
        longest=timedelta(seconds=0.1),
    )
    processes = 0
    while not ended.done():
        processes += 1
        assert processes < 30, "it began to count anew each time"
        async with process(database, work, ended, patience=patience):
            for _ in range(3):
                trying = asyncio.ensure_future(tries.acquire())
                await asyncio.wait({trying, ended}, return_when=asyncio.FIRST_COMPLETED)
                trying.cancel()
    assert ended.result() == "MachineUnreachable"
    assert processes > 1
    assert await rows(database) == 0


async def test_it_counts_from_the_first_failure(database: Database) -> None:
    """A step that ran for longer than its patience is patient all the same."""
    tries = 0
    ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def work() -> str:
        nonlocal tries
        tries += 1
        if tries == 1:
            await asyncio.sleep(1.5 * PATIENCE.total.total_seconds())
            raise MachineUnreachable("machine gpu-1 does not answer")
        return "done"

    async with process(database, work, ended):
        assert await ended == "done"
    assert await rows(database) == 0


async def test_each_outage_is_one_of_its_own(database: Database) -> None:
    """A machine that answered meanwhile may be away again for as long."""
    tries = 0
    ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def work() -> str:
        nonlocal tries
        tries += 1
        if tries == 6:
            return "done"
        answered()
        await asyncio.sleep(0.6 * PATIENCE.total.total_seconds())
        raise MachineUnreachable("machine gpu-1 does not answer")

    async with process(database, work, ended):
        assert await ended == "done"


async def test_who_waits_for_the_end_waits_no_longer_than_he_must(database: Database) -> None:
    """A job that somebody kills while its machine is away ends soon, but not at the first blip."""
    tries, killed_at = 0, 3
    ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def work() -> str:
        nonlocal tries
        tries += 1
        raise MachineUnreachable("machine gpu-1 does not answer")

    async def is_killed() -> bool:
        return tries >= killed_at

    hour = replace(PATIENCE, total=timedelta(hours=1), hurried=is_killed)
    async with process(database, work, ended, patience=replace(hour, hurry=PATIENCE.total)):
        assert await ended == "MachineUnreachable"
    assert tries > killed_at


class Clock:
    """A clock that is moved by hand."""

    now = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


async def test_what_a_process_slept_through_does_not_count(database: Database) -> None:
    """It was frozen between two tries: nobody knows whether the machine was away meanwhile."""
    clock = Clock()
    outage = Outage(STEP, Outages(database), clock=clock)
    await outage.goes_on()
    clock.now += timedelta(hours=5).total_seconds()
    await outage.goes_on()
    assert outage.spent == MOST


async def test_an_answer_ends_what_an_earlier_process_saw(database: Database) -> None:
    """The machine was away before the restart and is there after it."""
    forgotten = asyncio.Event()

    class Book(Outages):
        async def forget(self, step: str) -> None:
            await super().forget(step)
            forgotten.set()

    book, clock = Book(database), Clock()
    await book.spend(STEP, 100.0)
    outage = Outage(STEP, book, clock=clock)
    with outage.watched():
        answered()
        await forgotten.wait()
    assert await book.spent(STEP) == 0
    await outage.goes_on()
    clock.now += 5
    await outage.goes_on()
    assert outage.spent == timedelta(seconds=5)


async def test_it_counts_while_nothing_can_be_written() -> None:
    """The database is away too: this process counts for itself, and adds what was known before."""

    class Away:
        is_away = True

        async def spent(self, step: str) -> float:
            await self.forget(step)
            return 60.0

        async def spend(self, step: str, seconds: float) -> None:
            await self.forget(step)
            self.written = seconds

        async def forget(self, step: str) -> None:
            if self.is_away:
                raise Fenced(step)

    clock, book = Clock(), Away()
    outage = Outage(STEP, book, clock=clock)
    for _ in range(3):
        await outage.goes_on()
        clock.now += 10
    assert outage.spent == timedelta(seconds=20)
    book.is_away = False
    await outage.goes_on()
    assert outage.spent == timedelta(seconds=90)
    assert book.written == outage.spent.total_seconds()
