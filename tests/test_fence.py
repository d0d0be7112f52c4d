"""A process that was frozen wakes up: nothing that it was about to do happens."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import structlog.testing

from bot.agents import runs
from bot.durable import Engine
from bot.errors import Fenced
from bot.fence import Fence
from bot.github import GitHub
from bot.intake.queueing import DELIVERIES_NOT_ENQUEUED, Queueing
from bot.machines.fenced import FencedProvider, FencedShell
from bot.machines.pool import PoolProvider
from bot.models import AgentProgress, GpuRequest, JobId, LeaseId
from bot.posting import Posting
from bot.render import closing_marker
from bot.store import Database, Deliveries, Jobs, Leases, PostedComments
from tests.fakes.desk import script
from tests.fakes.github.talk import NAME, REPOSITORY, talking
from tests.fakes.machine import FakeMachine
from tests.test_store import Enqueued, accept, draft

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable
    from pathlib import Path

    from bot.github import Repository
    from tests.fakes.github.talk import Talk

TRUSTED = timedelta(seconds=18)
REQUEST = GpuRequest(gpu_type="cpu", gpus=0, duration=timedelta(hours=1))


class Process:
    """Its fence, and a clock that goes on while it is frozen."""

    def __init__(self) -> None:
        """Have its heartbeat get through just now."""
        self._now = 0.0
        self.fence = Fence(TRUSTED, clock=lambda: self._now)
        self.beats()

    def beats(self) -> None:
        """Have a heartbeat get through."""
        self.fence.renew(sent=self._now)

    def sleeps(self) -> None:
        """Be frozen until it may have been taken over."""
        self._now += TRUSTED.total_seconds() + 1


@pytest.fixture
def process() -> Process:
    """A process that lives."""
    return Process()


@dataclass(frozen=True, slots=True)
class Thread:
    """What a process talks about."""

    talk: Talk
    client: GitHub
    repository: Repository
    publishing: Repository
    comment: int
    base: str


@asynccontextmanager
async def thread(process: Process) -> AsyncGenerator[Thread]:
    """Let a process talk to GitHub behind its fence, with a comment and a branch made before."""
    async with talking() as talk:
        client = GitHub(
            talk.github.settings(),
            talk.session,
            sleep=talk.clock.sleep,
            clock=talk.clock.now,
            fence=process.fence,
        )
        repository = client.repository(NAME, talk.installation_id)
        publishing = client.publishing_repository(NAME, talk.installation_id)
        comment = await repository.comment(1, "I begin.")
        await talk.push("ptq/1")
        base = await talk.base()
        await publishing.create_branch("ptq/before", base)
        yield Thread(talk, client, repository, publishing, comment.id, base)


EFFECTS: dict[str, Callable[[Thread], Awaitable[object]]] = {
    "a comment": lambda one: one.repository.comment(1, "I end."),
    "an edit": lambda one: one.repository.edit_comment(one.comment, "I go on."),
    "a reaction": lambda one: one.repository.react_to_issue(1, "eyes"),
    "a label": lambda one: one.repository.add_labels(1, ["bug"]),
    "a file": lambda one: one.publishing.create_blob(b"x"),
    "a branch": lambda one: one.publishing.create_branch("ptq/2", one.base),
    "a moved branch": lambda one: one.publishing.update_branch("ptq/1", one.base, force=True),
    "a pull request": lambda one: one.publishing.create_pull(
        "Mend it", "So.", head="ptq/1", base="main"
    ),
}


@pytest.mark.parametrize("effect", EFFECTS.values(), ids=EFFECTS)
async def test_nothing_is_written_on_github(
    process: Process, effect: Callable[[Thread], Awaitable[object]]
) -> None:
    """Not before a heartbeat tells that nobody has its work; reading is free."""
    async with thread(process) as one:
        before = len(one.talk.github.requests)
        process.sleeps()
        with pytest.raises(Fenced):
            await effect(one)
        assert len(one.talk.github.requests) == before
        assert len(await one.repository.comments(1)) == 1
        process.beats()
        await effect(one)


async def test_the_last_look_is_when_the_connection_stands(process: Process) -> None:
    """Who fell asleep while it got its token does not write when it wakes up."""
    async with talking() as talk:
        settings = talk.github.settings()
        client = GitHub(settings, talk.session, clock=talk.clock.now, fence=process.fence)
        gate = talk.github.hold_next("POST", "*/access_tokens")
        repository = client.repository(NAME, talk.installation_id)
        writing = asyncio.create_task(repository.comment(1, "I end."))
        await gate.met.wait()
        process.sleeps()
        gate.set()
        with pytest.raises(Fenced):
            await writing
        assert talk.github.comments(REPOSITORY, 1) == []


async def test_a_comment_has_no_row_either(process: Process, tmp_path: Path) -> None:
    """Whoever has the work now finds nothing of it."""
    url = f"sqlite:///{tmp_path / 'ptq.sqlite'}"
    database = await asyncio.to_thread(Database, url, fence=process.fence)
    await database.upgrade()
    marker = closing_marker(JobId("20261127-pytorch-1"), run=1)
    async with thread(process) as one:
        posting = Posting(one.client, PostedComments(database))
        process.sleeps()
        with pytest.raises(Fenced):
            await posting.once(one.repository, 1, marker, f"{marker}\nI end.")
        process.beats()
        await posting.once(one.repository, 1, marker, f"{marker}\nI end.")
        assert len(await one.repository.comments(1)) == 2
    await database.close()


async def test_nothing_is_done_on_a_machine(process: Process, tmp_path: Path) -> None:
    """No machine is reserved, kept for longer, given back, or changed, and no agent starts."""
    database = await asyncio.to_thread(Database, f"sqlite:///{tmp_path / 'ptq.sqlite'}")
    await database.upgrade()
    leases = Leases(database)
    job_id, _ = await accept(Jobs(database), draft(), Enqueued())
    lease = LeaseId(f"{job_id}/1")
    later = datetime.now(UTC) + timedelta(hours=2)
    async with FakeMachine(tmp_path / "machine") as machine:
        pool = PoolProvider([machine.settings], leases, patience=timedelta(0))
        provider = FencedProvider(pool, process.fence)
        await leases.open(lease, job_id, "pool", REQUEST)
        process.sleeps()
        with pytest.raises(Fenced):
            await provider.reserve(lease, REQUEST)
        assert machine.connections == 0
        process.beats()
        reservation = await provider.reserve(lease, REQUEST)
        async with provider.shell(reservation) as shell:
            assert isinstance(shell, FencedShell)
            await shell.expand("~")  # reading is free, and asked once
            commands = len(machine.commands)
            process.sleeps()
            run = _run()
            agent = script("echo started >>~/count", environment={"HOME": str(machine.home)})
            for effect in (
                provider.extend(lease, later),
                provider.release(lease),
                shell.run("touch", "here"),
                shell.write("~/here", "text"),
                shell.forward(1),
                runs.start(shell, run, agent),
                runs.stop(shell, run),
            ):
                with pytest.raises(Fenced):
                    await effect
            assert machine.commands[commands:] == []
            assert not await asyncio.to_thread(list, machine.home.iterdir())
            assert [one.id for one in await leases.living()] == [lease]
        await provider.close()
    await database.close()


def _run() -> runs.Run:
    now = datetime.now(UTC)
    return runs.Run(
        id="run-1",
        directory="~/run-1",
        cwd="~",
        log="~/run-1.log",
        python="python3",
        soft_deadline=now + timedelta(minutes=1),
        hard_deadline=now + timedelta(minutes=2),
        stop_grace=timedelta(0),
    )


async def test_the_log_tells_once_that_nothing_may_be_written(
    process: Process, tmp_path: Path
) -> None:
    """A process that woke up looks at its queue again and again, and says so once a time."""
    database = await asyncio.to_thread(
        Database, f"sqlite:///{tmp_path / 'ptq.sqlite'}", fence=process.fence
    )
    await database.upgrade()
    looks = asyncio.Semaphore(0)

    class Watched(Deliveries):
        async def enqueue(
            self, enqueuing: Callable[..., Callable[..., None]], *, at_once: int, most: int
        ) -> int:
            try:
                return await super().enqueue(enqueuing, at_once=at_once, most=most)
            finally:
                looks.release()

    async def looked(times: int) -> None:
        for _ in range(times):
            await looks.acquire()

    engine = Engine(database.url, executor_id="test", poll=timedelta(seconds=1))
    queueing = Queueing(engine, Watched(database), interval=timedelta(milliseconds=1))
    with structlog.testing.capture_logs() as lines:
        async with queueing.running():
            for _ in range(2):
                process.sleeps()
                await looked(5)
                process.beats()
                await looked(3)
    await database.close()
    assert [line["event"] for line in lines] == [DELIVERIES_NOT_ENQUEUED] * 2


async def test_progress_is_written_once_that_is_possible_again(
    process: Process, tmp_path: Path
) -> None:
    """What an agent said last, in the moment in which nothing could be written, is not lost."""
    database = await asyncio.to_thread(
        Database, f"sqlite:///{tmp_path / 'ptq.sqlite'}", fence=process.fence
    )
    await database.upgrade()
    jobs = Jobs(database)
    job_id, _ = await accept(jobs, draft(), Enqueued())
    async with jobs.progress.written():
        process.sleeps()
        jobs.progress.keep(job_id, AgentProgress(turns=7))
        with pytest.raises(Fenced):
            await jobs.progress.write()
        process.beats()
    assert (await jobs.get(job_id)).progress == AgentProgress(turns=7)
    await database.close()
