"""What jobs leave behind that did not come to their end is put in order."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest
import sqlalchemy as sa
import structlog.testing
from dbos import DBOSClient
from inline_snapshot import snapshot

from bot.errors import GitHubUnavailable
from bot.investigation import Steps
from bot.models import DeliveryId, GpuRequest, JobState, LeaseId
from bot.store import Database, Deliveries, Jobs, Leases, QueuedDeliveries
from bot.store.engines import complete
from bot.store.tables import comments, deliveries, jobs as table
from bot.sweeper.apart import NOT_SWEPT
from bot.sweeper.left_leases import LeftLeases
from bot.sweeper.lost_deliveries import PROBLEM, LostDeliveries
from bot.sweeper.owed_comments import OwedComments
from tests import scenes
from tests.fakes.processes import gone, is_alive
from tests.harness import on_postgres
from tests.test_store import Enqueued, accept, draft

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence

    from bot.durable import Engine
    from bot.investigation import Parts
    from bot.models import JobId
    from bot.store import Job
    from tests.harness import Bot

LOOK = 0.02
REQUEST = GpuRequest(gpu_type="h100", gpus=1, duration=timedelta(hours=1))


@pytest.fixture(params=["sqlite", "postgres"])
def world(request: pytest.FixtureRequest, world: Bot) -> Bot:
    """Hold each conversation on either database."""
    if request.param == "postgres":
        on_postgres(world, request.getfixturevalue("postgres"))
    return world


@pytest.fixture
async def database(database_url: str) -> AsyncGenerator[Database]:
    """A database of either kind, without a service."""
    database = await asyncio.to_thread(Database, database_url)
    await database.upgrade()
    yield database
    await database.close()


def often(bot: Bot) -> None:
    """Look after leases and jobs again and again."""
    schedule = bot.settings.schedule.model_copy(update={"jobs": timedelta(seconds=0.05)})
    bot.settings = bot.settings.model_copy(update={"schedule": schedule})


@asynccontextmanager
async def between_starts(bot: Bot) -> AsyncGenerator[Database]:
    """Open the database of a service that does not run."""
    database = await asyncio.to_thread(Database, bot.settings.database)
    yield database
    await database.close()


async def lose_workflow(bot: Bot, name: str) -> None:
    """Let a record of the engine be gone, as a restored or a cleaned database may."""

    def lose() -> None:
        client = DBOSClient(system_database_url=complete(bot.settings.database))
        client.delete_workflow(name)
        client.destroy()

    await asyncio.to_thread(lose)


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Wait for what no change on GitHub tells."""
    waits = True
    while waits:
        waits = not await holds()
        await asyncio.sleep(LOOK if waits else 0)


async def released(leases: Leases, *, but: int = 0) -> None:
    """Wait until no lease is living, or so many."""

    async def are_released() -> bool:
        return len(await leases.living()) == but

    await until(are_released)


async def told(jobs: Jobs) -> None:
    """Wait until nothing is owed to people."""

    async def are_told() -> bool:
        return not await jobs.untold(limit=1)

    await until(are_told)


async def interrupted(bot: Bot) -> JobId:
    """Start a job whose agent never ends by itself, and stop the service in the middle of it."""
    bot.agent_does([{"wait_for": str(bot.directory / "never")}])
    async with bot.serving() as service:
        await bot.comment("/ptq investigate")
        await bot.next_text()
        await bot.reached(JobState.INVESTIGATING)
        await bot.edited("▶ Investigate")
        (job,) = await service.jobs.unfinished()
    return job.id


async def agent_of(bot: Bot, job_id: JobId) -> int:
    """Return the process of a job's agent on its machine."""
    path = bot.machine.home / "ptq_workspace" / "jobs" / job_id / "run-1" / "agent.json"
    return json.loads(await asyncio.to_thread(path.read_text))["pid"]


async def ended(bot: Bot) -> JobId:
    """Have a job done to its end, and stop the service."""
    bot.agent_does(scenes.not_reproduced())
    async with bot.serving():
        await bot.comment("/ptq investigate")
        await bot.next_text()
        await bot.next_text()
        return (await bot.job()).id


async def forget(bot: Bot, job_id: JobId, **columns: None) -> None:
    """Let the database have lost these columns of a job."""
    change = table.update().where(table.c.id == job_id).values(told_at=None, **columns)
    async with between_starts(bot) as database:
        await database.call(lambda connection: connection.execute(change).rowcount)


async def test_a_job_whose_workflow_is_gone(world: Bot) -> None:
    """It ends as failed: told, its agent stopped, its machine and its issue free."""
    job_id = await interrupted(world)
    await lose_workflow(world, f"job/{job_id}")
    async with world.serving() as service:
        assert await world.next_text() == snapshot("""\
<!-- ptq:closing job=YYYYMMDD-pytorch-1 run=1 -->
@maintainer This job failed. I lost track of this job before it ended, by a mistake of mine. Please ask again.

What is known is in [the comment above](https://github.com/pytorch/pytorch/issues/1#issuecomment-ID).\
""")
        assert (await world.job()).state is JobState.FAILED
        await released(service.leases)
        assert world.report().partition("Last update")[0] == snapshot("""\
<!-- ptq:progress job=YYYYMMDD-pytorch-1 run=1 -->
**This investigation has failed** (job `YYYYMMDD-pytorch-1`), as [asked for](https://github.com/pytorch/pytorch/issues/1#issuecomment-ID) by maintainer.

- ✓ Reserve a machine: `gpu-1`, `1 × h100`
- ✓ Prepare PyTorch on it: torch `0.3.0`
- ✗ Investigate
- – Give the machine back
- – Check and publish the patch

I lost track of this job before it ended, by a mistake of mine. Please ask again.

Ended DATE UTC. It took N s.\
""")
        world.agent_does(scenes.not_reproduced())
        await world.comment("/ptq investigate")
        assert "waiting for a machine" in await world.next_text()
        assert "I ran the repro myself" in await world.next_text()
        await world.job()


async def test_a_lease_that_was_left_behind(world: Bot) -> None:
    """A job that has ended keeps no machine, and its agent does not stay on it."""
    job_id = await interrupted(world)
    pid = await agent_of(world, job_id)
    assert is_alive(pid)
    await lose_workflow(world, f"job/{job_id}")
    async with between_starts(world) as database:
        await Jobs(database).finish(job_id, JobState.FAILED)
        assert len(await Leases(database).living()) == 1
    async with world.serving() as service:
        await released(service.leases)
        await gone(pid)
        assert "went wrong" in await world.next_text()
        await world.edited("✗ Investigate")


async def test_a_machine_that_an_ended_job_waits_for(world: Bot) -> None:
    """A place in the queue that nobody waits in is given up."""
    job_id = await ended(world)
    async with between_starts(world) as database:
        await Leases(database).open(LeaseId(f"{job_id}/2"), job_id, "pool", REQUEST)
    async with world.serving() as service:
        await released(service.leases)


async def test_a_lease_of_a_provider_that_is_gone(world: Bot) -> None:
    """It is kept until its own end, because nobody can say that it was given back."""
    job_id = await ended(world)
    lease = LeaseId(f"{job_id}/2")
    async with between_starts(world) as database:
        await Leases(database).open(lease, job_id, "rented", REQUEST)
        await Leases(database).open(LeaseId(f"{job_id}/3"), job_id, "pool", REQUEST)
    async with world.serving() as service:
        await released(service.leases, but=1)
        assert [one.id for one in await service.leases.living()] == [lease]


async def test_a_closing_comment_that_was_never_written(world: Bot) -> None:
    """Who asked is told after all, once."""
    job_id = await ended(world)
    closing = world.comments()[1]
    world.issue.comments.remove(closing)
    await forget(world, job_id, closing_comment_id=None)
    async with between_starts(world) as database:
        # Nor was it known to be there: a comment that somebody deleted is not written again.
        forgotten = comments.delete().where(comments.c.marker.contains("closing"))
        await database.call(lambda connection: connection.execute(forgotten).rowcount)
    async with world.serving() as service:
        assert "I ran the repro myself" in await world.next_text()
        await told(service.jobs)
        again = (await service.jobs.get(job_id)).closing_comment_id
    assert [one.id for one in world.comments()][1:] == [again]


async def test_a_closing_comment_that_was_written(world: Bot) -> None:
    """Only our record of it was lost: it is found again."""
    job_id = await ended(world)
    closing = world.comments()[1]
    await forget(world, job_id, closing_comment_id=None)
    async with world.serving() as service:
        await told(service.jobs)
        assert (await service.jobs.get(job_id)).closing_comment_id == closing.id
    assert len(world.comments()) == 2


async def test_a_report_that_was_never_written(world: Bot) -> None:
    """A progress comment does not say for ever that the work goes on."""
    job_id = await ended(world)
    report = world.comments()[0].body
    world.github.world.edit_comment(world.comments()[0], "**I am investigating**")
    await forget(world, job_id, reported_at=None)
    async with world.serving():
        await world.edited("This investigation has finished")
    assert world.comments()[0].body.partition("Ended")[0] == report.partition("Ended")[0]


async def test_github_refuses_what_is_owed(world: Bot) -> None:
    """A thread that was locked meanwhile is left alone: it is asked once."""
    job_id = await ended(world)
    world.issue.comments.remove(world.comments()[1])
    await forget(world, job_id, closing_comment_id=None)
    often(world)
    world.github.fail_next("POST", "*/comments", status=403, body={"message": "Locked"})
    async with world.serving() as service:
        await told(service.jobs)
    assert len(world.comments()) == 1


async def test_a_living_job_is_left_alone(world: Bot) -> None:
    """However often leases and jobs are looked after."""
    gate = world.directory / "go"
    world.agent_does([{"wait_for": str(gate)}, *scenes.not_reproduced()])
    often(world)
    async with world.serving():
        await world.comment("/ptq investigate")
        await world.next_text()
        await world.edited("▶ Investigate")
    async with world.serving() as service:
        await world.reached(JobState.INVESTIGATING)
        assert len(await service.leases.living()) == 1
        gate.touch()
        assert "I ran the repro myself" in await world.next_text()
        assert (await world.job()).state is JobState.FINISHED
    assert len(world.comments()) == 2


async def in_the_middle_of_a_delivery(bot: Bot) -> DeliveryId:
    """Stop the service while it handles a delivery; return which one."""
    gate = bot.github.hold_next("POST", "*/reactions")
    async with bot.serving():
        await bot.comment("/ptq help")
        await gate.met.wait()
    gate.set()
    return DeliveryId(bot.github.deliveries[-1].guid)


async def test_a_delivery_whose_workflow_is_gone(world: Bot) -> None:
    """It is handled anew: whoever asked gets the answer, once."""
    delivery_id = await in_the_middle_of_a_delivery(world)
    await lose_workflow(world, f"delivery/{delivery_id}")
    async with world.serving():
        assert "/ptq investigate" in await world.next_text()
        await world.handled()
    assert len(world.comments()) == 1


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


class Uneven:
    """A provider that answers about one lease late, and breaks over another one."""

    name = "pool"

    def __init__(self, *, late: str, broken: str) -> None:
        self._late, self._broken = late, broken
        self.released: list[str] = []
        self._some = asyncio.Event()

    async def look_up(self, lease_id: LeaseId) -> None:
        """Wait for another one's release; or fail as nobody expects."""
        if lease_id == self._broken:
            raise RuntimeError(lease_id)
        if lease_id == self._late:
            await self._some.wait()

    async def release(self, lease_id: LeaseId) -> None:
        """Note it."""
        self.released.append(lease_id)
        self._some.set()


async def test_one_lease_keeps_no_other_back(database: Database) -> None:
    """A provider that is slow, or breaks, over one is asked about the others all the same."""
    jobs, leases = Jobs(database), Leases(database)
    job_id, _ = await accept(jobs, draft(), Enqueued())
    ids = [LeaseId(f"{job_id}/1{again}") for again in ("", "/2", "/3")]
    for lease_id in ids:
        await leases.open(lease_id, job_id, "pool", REQUEST)
    await jobs.finish(job_id, JobState.FAILED)
    provider = Uneven(late=ids[0], broken=ids[1])
    parts = cast("Parts", SimpleNamespace(leases=leases, jobs=jobs, provider=provider))
    with structlog.testing.capture_logs() as lines:
        assert await LeftLeases(parts, Steps(parts)).run() == {"released": 2, "overdue": 0}
    assert [line["piece"] for line in lines if line["event"] == NOT_SWEPT] == [ids[1]]
    assert provider.released == [ids[2], ids[0]]
    assert [lease.id for lease in await leases.living()] == [ids[1]]


class Grudging:
    """A reporter to whom GitHub does not give one thread."""

    def __init__(self, never: JobId) -> None:
        self._never = never

    async def make_up(self, job: Job) -> bool:
        """Tell it, unless it is that one."""
        if job.id == self._never:
            raise GitHubUnavailable("GitHub answered 502")
        return True


async def test_one_thread_keeps_no_other_back(database: Database) -> None:
    """The oldest job cannot be told: those after it are, and it is tried again."""
    jobs = Jobs(database)
    ended: list[JobId] = []
    for number in (1, 2):
        request = draft(issue=number, comment=number)
        job_id, _ = await accept(jobs, request, Enqueued())
        await jobs.finish(job_id, JobState.FAILED)
        ended.append(job_id)
    parts = cast("Parts", SimpleNamespace(jobs=jobs, reporter=Grudging(ended[0])))
    assert await OwedComments(parts).run() == {"made_up": 1}
    assert [job.id for job in await jobs.untold(limit=10)] == ended[:1]
