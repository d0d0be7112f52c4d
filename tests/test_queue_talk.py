"""Waiting for a machine: people see where they stand and why, and a full queue is no error."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, cast

import pytest
import structlog.testing

from bot.errors import MachineError
from bot.fence import Fence
from bot.investigation import WaitingRoom, Watch
from bot.investigation.waiting import QUEUE_NOT_SEEN
from bot.investigation.watching import NOT_WATCHED
from bot.models import (
    DeliveryId,
    GpuRequest,
    JobId,
    JobRequest,
    JobState,
    LeaseId,
    Offer,
    Person,
    RepositoryName,
    StopKind,
)
from bot.settings.limits import LimitSettings
from bot.store import Database, Jobs, Leases, Queue
from demo import story
from tests import scenes
from tests.configured import configure
from tests.harness import MAINTAINER, PATIENCE, REPORTER, REPOSITORY

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from bot.store.queue import Decided
    from tests.fakes.github.memory import Issue
    from tests.harness import Bot

COLLEAGUE = "colleague"


def held(bot: Bot) -> Path:
    """Have agents wait for a file before they answer; return it."""
    gate = bot.directory / "go"
    bot.agent_does([{"wait_for": str(gate)}, *scenes.not_reproduced()])
    return gate


def another_issue(bot: Bot) -> Issue:
    """Return one more issue with the same bug."""
    return bot.github.add_issue(REPOSITORY, story.TITLE, scenes.PASSING, author=REPORTER)


async def told(bot: Bot, issue: Issue, words: str) -> None:
    """Wait until the progress comment of an issue holds these words."""

    def there() -> bool:
        comments = bot.github.comments(REPOSITORY, issue.number)
        return any(one.via_app and words in one.body for one in comments)

    await bot.github.wait_for(there, seconds=PATIENCE)


async def answered(bot: Bot, many: int) -> None:
    """Read so many comments of the bot, and wait until every job has ended."""
    for _ in range(many):
        await bot.next_text()
    await bot.job()


async def test_a_job_waits_until_a_machine_is_free(bot: Bot) -> None:
    """Whoever waits reads what for; when a machine is given back, the next job has it."""
    bot.issue.body = scenes.PASSING
    gate = held(bot)
    second, third = another_issue(bot), another_issue(bot)
    await bot.comment("/ptq investigate")
    await bot.reached(JobState.INVESTIGATING)
    await bot.comment("/ptq investigate", issue=second)
    await told(bot, second, "`1 × h100`, 1st in the queue")
    await bot.comment("/ptq investigate --machine gpu-1", issue=third)
    await told(bot, second, "It waits because every machine that fits is busy.")
    await told(bot, third, "`1 × h100`, 2nd in the queue")
    await told(bot, third, "It waits because machine `gpu-1` is busy.")
    gate.touch()
    await answered(bot, 6)
    here = RepositoryName.parse(REPOSITORY)
    ended = [await bot.service.jobs.newest(here, one.number) for one in (second, third)]
    assert [job and job.state for job in ended] == [JobState.FINISHED] * 2


async def test_over_a_limit_a_job_waits(world: Bot) -> None:
    """Over a person's limit a job is queued, with the numbers, though a machine is free."""
    limits = world.settings.limits.model_copy(update={"jobs_per_person": 1})
    machine = world.settings.machines[0].model_copy(update={"slots": 3})
    world.settings = world.settings.model_copy(update={"limits": limits, "machines": (machine,)})
    project = world.github.world.project(REPOSITORY)
    world.github.world.account(COLLEAGUE)
    project.roles[COLLEAGUE] = project.roles[MAINTAINER]
    world.issue.body = scenes.PASSING
    gate = held(world)
    second, third = another_issue(world), another_issue(world)
    async with world.serving():
        await world.comment("/ptq investigate")
        await world.reached(JobState.INVESTIGATING)
        await world.comment("/ptq investigate", issue=second)
        await told(
            world,
            second,
            "It waits because maintainer has 1 of the 1 job that one person may have at once.",
        )
        await world.comment("/ptq investigate", issue=third, author=COLLEAGUE)
        await told(world, third, "▶ Investigate")
        gate.touch()
        await answered(world, 6)


async def test_a_repository_limits_its_own_jobs(world: Bot) -> None:
    """`limits.jobs` of a repository's configuration keeps machines free for others."""
    await configure(world.github.world.project(REPOSITORY), "limits: {jobs: 1}\n")
    machine = world.settings.machines[0].model_copy(update={"slots": 2})
    world.settings = world.settings.model_copy(update={"machines": (machine,)})
    world.issue.body = scenes.PASSING
    gate = held(world)
    second = another_issue(world)
    async with world.serving():
        await world.comment("/ptq investigate")
        await world.reached(JobState.INVESTIGATING)
        await world.comment("/ptq investigate", issue=second)
        await told(
            world,
            second,
            "It waits because this repository has 1 of the 1 job that may run at once.",
        )
        gate.touch()
        await answered(world, 4)


# Many jobs in one process


@asynccontextmanager
async def waiting(
    path: Path, many: int, *, fence: Fence | None = None
) -> AsyncGenerator[tuple[Leases, Queue, list[LeaseId]]]:
    """Have so many jobs wait for the one slot of a machine."""
    url = f"sqlite:///{path / 'ptq.sqlite'}"
    database = await asyncio.to_thread(Database, url, fence=fence)
    await database.upgrade()
    jobs, leases = Jobs(database), Leases(database)
    wanted = GpuRequest(gpu_type="h100", gpus=1, duration=timedelta(hours=1))
    ids: list[LeaseId] = []
    for number in range(many):
        request = JobRequest(
            job_id=JobId(f"job-{number}"),
            repository=RepositoryName.parse(REPOSITORY),
            installation_id=1,
            issue_number=number,
            requester=Person(login=f"p{number}", id=number),
            command_comment_id=number,
            asked_at=datetime(2026, 1, 2, tzinfo=UTC),
        )
        await jobs.accept(
            request,
            delivery_id=DeliveryId("d"),
            ordinal=0,
            enqueue=lambda _connection, _job_id: None,
        )
        ids.append(LeaseId(f"job-{number}/1"))
        await leases.open(ids[-1], request.job_id, "pool", wanted)
    machine = Offer(machine="m", gpu_type="h100", gpus=1, slots=1, workspace="~/w")
    try:
        yield leases, Queue(database, machines=[machine], limits=LimitSettings()), ids
    finally:
        await database.close()


async def test_a_released_lease_wakes_the_next_job(tmp_path: Path) -> None:
    """Nobody polls for a job of its own: a lease given back is the next one's, in order."""
    async with waiting(tmp_path, 20) as (leases, queue, ids):
        room = WaitingRoom(queue, interval=timedelta(hours=1))
        order: list[LeaseId] = []

        async def work(lease_id: LeaseId) -> None:
            await room.turn(lease_id)
            order.append(lease_id)
            await leases.release(lease_id)
            room.look()

        await asyncio.gather(*map(work, ids))
        await room.close()
        assert order == ids


async def test_a_process_that_was_silent_for_a_moment_goes_on_looking(tmp_path: Path) -> None:
    """Who waits in it for a machine gets the turn when the heartbeats get through again."""
    loop, looks = asyncio.get_running_loop(), asyncio.Queue[float]()

    def clock() -> float:
        loop.call_soon_threadsafe(looks.put_nowait, 0.0)
        return 0.0

    fence = Fence(timedelta(hours=1), clock=clock)
    fence.renew(sent=0)
    async with waiting(tmp_path, 1, fence=fence) as (_, queue, (only,)):
        room = WaitingRoom(queue, interval=timedelta(milliseconds=1))
        fence.close()
        turn = asyncio.ensure_future(room.turn(only))
        for _ in range(looks.qsize() + 2):
            await looks.get()
        assert not turn.done()
        fence.renew(sent=0)
        await turn
        await room.close()


async def test_a_look_that_fails_is_not_the_last_one(tmp_path: Path) -> None:
    """A bug that one look stumbles over takes nobody's turn, and hides no kill from this process."""
    async with waiting(tmp_path, 1) as (leases, queue, (only,)):
        stumbles = iter([ValueError("a row of a newer ptq")] * 2)

        class Stumbling:
            async def admit(self) -> Decided:
                for error in stumbles:
                    raise error
                return await queue.admit()

            async def stops(self, job_ids: set[JobId]) -> dict[JobId, StopKind]:
                for error in stumbles:
                    raise error
                return dict.fromkeys(job_ids, StopKind.KILLED)

        often = timedelta(milliseconds=1)
        room = WaitingRoom(cast("Queue", Stumbling()), interval=often)
        with structlog.testing.capture_logs() as lines:
            await room.turn(only)
        await room.close()
        stumbles = iter([ValueError("a row of a newer ptq")] * 2)
        watch = Watch(cast("Jobs", Stumbling()), leases, interval=often)
        with structlog.testing.capture_logs() as more:
            assert await watch.stop(JobId("job-0")) is StopKind.KILLED
        await watch.close()
        told = [line["event"] for line in (*lines, *more) if line["log_level"] == "error"]
        assert told == [QUEUE_NOT_SEEN] * 2 + [NOT_WATCHED] * 2


async def test_a_lease_that_was_released_has_no_turn(tmp_path: Path) -> None:
    """A waiting lease that is taken back ends the wait with an error."""
    async with waiting(tmp_path, 2) as (leases, queue, (first, second)):
        room = WaitingRoom(queue, interval=timedelta(hours=1))
        await room.turn(first)
        turn = asyncio.ensure_future(room.turn(second))
        await leases.release(second)
        room.look()
        with pytest.raises(MachineError, match="released or unknown"):
            await turn
        await room.close()


async def test_two_processes_lend_a_slot_once(tmp_path: Path) -> None:
    """Whoever looks decides for all: what one process let go, the other finds gone."""
    async with waiting(tmp_path, 2) as (_, queue, (first, second)):
        seen = await asyncio.gather(queue.admit(), queue.admit())
        assert [one.going for one in seen] == [frozenset({first})] * 2
        assert seen[1].waiting == {second}
        standing = await queue.standing(JobId("job-1"))
        assert standing is not None
        assert standing.position == 1
        assert await queue.standing(JobId("job-0")) is None
