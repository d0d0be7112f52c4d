"""Jobs that a dead service left while it followed their agents: as after a power cut.

``python -m bench.interrupted DATABASE_URL HOME JOBS`` runs the real engine under the names of
the real workflow and its steps, so that the service finds their records; what each step returns is
made up here, and nothing outside is touched. It says ``ready`` when every job is in its last step,
and waits to be killed.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

from bench.places import MACHINE, paths_of
from bot.app import ALONE
from bot.durable import Engine
from bot.intake.investigate import INVESTIGATE, JOBS, workflow_of
from bot.investigation.records import Admitted, Done, Launched, Prepared, Reserved
from bot.models import (
    DeliveryId,
    GpuRequest,
    JobId,
    JobRequest,
    JobState,
    LeaseId,
    Person,
    RepositoryName,
    Reservation,
    TorchBuild,
)
from bot.store import Database, Jobs, Leases

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import sqlalchemy as sa

T = TypeVar("T")

POLL = timedelta(seconds=0.2)
_NOW = datetime.now(UTC)
_LONG = timedelta(hours=12)


class Interrupted:
    """Brings jobs to where the service follows their agents."""

    def __init__(self, database: Database, home: str, number: int) -> None:
        """Leave so many jobs, whose directories are under this home."""
        self._jobs, self._leases = Jobs(database), Leases(database)
        self._home = home
        self._engine = Engine(database.url, executor_id=ALONE, poll=POLL)
        self._left = number
        self._there = asyncio.Event()

    async def run(self, number: int) -> None:
        """Bring all of them there."""
        await self._engine.upgrade()
        self._engine.register(INVESTIGATE, self._investigate, queue=JOBS)
        await self._engine.launch()
        for issue in range(1, number + 1):
            await self._ask(issue)
        if number:
            await self._there.wait()

    async def _ask(self, issue: int) -> None:
        draft = JobRequest(
            job_id=JobId(f"20260102-pytorch-{issue}"),
            repository=RepositoryName(owner="pytorch", name="pytorch"),
            installation_id=None,
            issue_number=issue,
            requester=Person(login="maintainer", id=7),
            asked_at=_NOW,
        )

        def enqueue(connection: sa.Connection, request: JobRequest) -> None:
            workflow_id, argument = workflow_of(request), request.job_id
            self._engine.enqueuer(
                INVESTIGATE, queue=JOBS, workflow_id=workflow_id, argument=argument
            )(connection)

        await self._jobs.accept(
            draft, delivery_id=DeliveryId(f"bench-{issue}"), ordinal=0, enqueue=enqueue
        )

    async def _investigate(self, argument: str) -> None:
        job_id = JobId(argument)
        wanted = GpuRequest(gpu_type="cpu", gpus=0, duration=_LONG)
        reservation = Reservation(
            lease_id=LeaseId(f"{job_id}/1"),
            provider="pool",
            machine=MACHINE,
            gpu_type="cpu",
            gpus=0,
            expires_at=_NOW + _LONG,
            workspace=self._home,
        )
        build = TorchBuild(
            version="2.13.0", wheel_commit="0" * 40, base_commit="0" * 40, python="3.11.0"
        )
        launched = Launched(
            session_id="bench",
            model_port=0,
            soft_deadline=_NOW + _LONG,
            hard_deadline=_NOW + _LONG,
            lease_end=_NOW + _LONG,
            lease_id=reservation.lease_id,
        )
        step = self._engine.step
        await step("admit", _returning(Admitted()), returns=Admitted)
        await step("announce", _returning(Done()), returns=Done)
        await self._leases.open(reservation.lease_id, job_id, "pool", wanted)
        await step(
            "reserve", _returning(Reserved(reservation=reservation)), returns=Reserved, waits=True
        )
        prepared = Prepared(build=build, paths=paths_of(self._home, job_id))
        await step("prepare", _returning(prepared), returns=Prepared, waits=True)
        await step("launch", _returning(launched), returns=Launched)
        await self._jobs.enter(job_id, JobState.INVESTIGATING)
        await step("follow", self._wait, returns=Done, waits=True)

    async def _wait(self) -> Done:
        self._left -= 1
        if not self._left:
            self._there.set()
        return await asyncio.get_running_loop().create_future()


def _returning(value: T) -> Callable[[], Awaitable[T]]:
    async def work() -> T:
        await asyncio.sleep(0)
        return value

    return work


async def _main(url: str, home: str, number: int) -> None:
    database = Database(url)
    await database.upgrade()
    await Interrupted(database, home, number).run(number)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
