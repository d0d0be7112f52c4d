"""One piece of a sweep that fails or takes long keeps no other back."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import structlog.testing

from bot.errors import GitHubUnavailable
from bot.investigation import Steps
from bot.models import GpuRequest, JobState, LeaseId
from bot.store import Database, Jobs, Leases
from bot.sweeper.apart import NOT_SWEPT
from bot.sweeper.left_leases import LeftLeases
from bot.sweeper.owed_comments import OwedComments
from tests.test_store import Enqueued, accept, draft

if TYPE_CHECKING:
    from bot.investigation import Parts
    from bot.models import JobId
    from bot.store import Job

REQUEST = GpuRequest(gpu_type="h100", gpus=1, duration=timedelta(hours=1))


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
