"""What ptq must not forget, in the database."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from bot.cli.tables import upgrade
from bot.errors import ConfigurationError, MachineError, Paused
from bot.models import (
    AgentProgress,
    DeliveryId,
    GpuRequest,
    JobId,
    JobRequest,
    JobState,
    LeaseId,
    Person,
    RepositoryName,
)
from bot.settings import Settings
from bot.store import Database, Deliveries, Documents, Jobs, Leases, only_process, tables
from tests.databases import opened

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

REPOSITORY = RepositoryName(owner="pytorch", name="pytorch")
REQUEST = GpuRequest(gpu_type="h100", gpus=1, duration=timedelta(hours=4))


def draft(*, issue: int = 1, comment: int = 10) -> JobRequest:
    """Return a request as intake makes it."""
    return JobRequest(
        job_id=JobId(f"20260102-pytorch-{issue}"),
        repository=REPOSITORY,
        installation_id=1,
        issue_number=issue,
        requester=Person(login="maintainer", id=7),
        command_comment_id=comment,
        asked_at=datetime(2026, 1, 2, tzinfo=UTC),
    )


class Enqueued:
    """The jobs whose workflow was enqueued."""

    def __init__(self) -> None:
        self.ids: list[JobId] = []

    def __call__(self, _connection: object, request: JobRequest) -> None:
        """Note it."""
        self.ids.append(request.job_id)


async def accept(
    jobs: Jobs, request: JobRequest, enqueued: Callable[[object, JobRequest], None]
) -> tuple[JobId, bool]:
    """Ask for a job; return its id and whether it is new."""
    accepted = await jobs.accept(request, delivery_id=DeliveryId("d"), ordinal=0, enqueue=enqueued)
    assert accepted.job_id is not None
    return accepted.job_id, accepted.is_new


async def test_a_redelivery_is_recorded_once(database: Database) -> None:
    """GitHub's redelivery keeps its id: it is known, and its handling is not enqueued again."""
    deliveries, enqueued = Deliveries(database), list[str]()

    def enqueue(delivery_id: DeliveryId) -> Callable[[object], None]:
        return lambda _connection: enqueued.append(delivery_id)

    for _ in range(2):
        await deliveries.record(DeliveryId("d-1"), "issue_comment", "{}")
        await deliveries.enqueue(enqueue, at_once=10, most=10)
    assert enqueued == ["d-1"]


async def test_no_more_deliveries_are_enqueued_than_are_soon_handled(database: Database) -> None:
    """The oldest come first; each that is handled makes room for the next."""
    deliveries, enqueued = Deliveries(database), list[str]()

    def enqueue(delivery_id: DeliveryId) -> Callable[[object], None]:
        return lambda _connection: enqueued.append(delivery_id)

    for number in range(5):
        await deliveries.record(DeliveryId(f"d-{number}"), "issue_comment", "{}")
    rounds = [await deliveries.enqueue(enqueue, at_once=2, most=3) for _ in range(3)]
    assert rounds == [2, 1, 0]
    await deliveries.close(DeliveryId("d-1"))
    assert await deliveries.enqueue(enqueue, at_once=2, most=3) == 1
    assert enqueued == ["d-0", "d-1", "d-2", "d-3"]
    assert await deliveries.waiting() == 4


async def test_a_delivery_that_cannot_be_enqueued_waits(database: Database) -> None:
    """What the engine does not take now is left as it was, for the next time."""
    deliveries, enqueued = Deliveries(database), list[str]()
    await deliveries.record(DeliveryId("d-1"), "issue_comment", "{}")

    def broken(_delivery_id: DeliveryId) -> Callable[[object], None]:
        raise Paused("the engine is stopped")

    def enqueue(delivery_id: DeliveryId) -> Callable[[object], None]:
        return lambda _connection: enqueued.append(delivery_id)

    with pytest.raises(Paused):
        await deliveries.enqueue(broken, at_once=10, most=10)
    assert await deliveries.enqueue(enqueue, at_once=10, most=10) == 1
    assert enqueued == ["d-1"]


async def test_the_payload_goes_when_a_delivery_is_handled(database: Database) -> None:
    """What people wrote is kept no longer than it is needed."""
    deliveries = Deliveries(database)
    await deliveries.record(DeliveryId("d"), "issue_comment", '{"a": 1}')
    assert (await deliveries.read(DeliveryId("d"))).payload == {"a": 1}
    await deliveries.close(DeliveryId("d"))
    with pytest.raises(LookupError):
        await deliveries.read(DeliveryId("d"))


async def test_a_command_is_claimed_by_one_delivery(database: Database) -> None:
    """The same comment under two deliveries is answered once; a repeated step is the same one."""
    deliveries = Deliveries(database)

    async def claim(delivery: str) -> bool:
        return await deliveries.claim(
            REPOSITORY, 10, 0, delivery_id=DeliveryId(delivery), outcome="help"
        )

    assert [await claim("a"), await claim("a"), await claim("b")] == [True, True, False]


async def test_an_issue_has_one_unfinished_job(database: Database) -> None:
    """A second request for an issue finds the first one's job until that has ended."""
    jobs, enqueued = Jobs(database), Enqueued()
    first, _ = await accept(jobs, draft(comment=10), enqueued)
    again = await accept(jobs, draft(comment=10), enqueued)
    second = await accept(jobs, draft(comment=11), enqueued)
    assert again == (first, True)
    assert second == (first, False)
    assert enqueued.ids == [first]

    await jobs.finish(first, JobState.FINISHED)
    third, is_new = await accept(jobs, draft(comment=12), enqueued)
    assert (third, is_new) == (JobId("20260102-pytorch-1-2"), True)
    assert [job.id for job in await jobs.unfinished()] == [third]
    newest = await jobs.newest(REPOSITORY, 1)
    assert newest is not None
    assert newest.id == third


async def test_nothing_of_a_job_stays_when_it_cannot_be_enqueued(database: Database) -> None:
    """The row and the workflow come into being together or not at all."""
    jobs = Jobs(database)

    def refuse(_connection: object, _request: JobRequest) -> None:
        raise MachineError("the engine is gone")

    with pytest.raises(MachineError):
        await accept(jobs, draft(), refuse)
    assert await jobs.unfinished() == []
    _, is_new = await accept(jobs, draft(), Enqueued())
    assert is_new


async def test_a_job_remembers_when_each_state_began(database: Database) -> None:
    """Entering a state again keeps its first time; an ended job stays ended."""
    jobs = Jobs(database)
    job_id, _ = await accept(jobs, draft(), Enqueued())
    first = await jobs.enter(job_id, JobState.PREPARING)
    again = await jobs.enter(job_id, JobState.PREPARING)
    assert first.states[JobState.PREPARING] == again.states[JobState.PREPARING]

    jobs.progress.keep(job_id, AgentProgress(turns=3, usd=0.5))
    await jobs.progress.write()
    await jobs.finish(job_id, JobState.FAILED)
    ended = await jobs.enter(job_id, JobState.PREPARING)
    assert ended.state is JobState.FAILED
    assert ended.progress == AgentProgress(turns=3, usd=0.5)
    assert not await jobs.request_kill(job_id, "maintainer")


async def test_a_restart_lends_no_slot_twice(database_url: str) -> None:
    """Two slots are two leases, also for the process after this one."""
    slots = [("gpu-1", 1), ("gpu-2", 1)]
    async with opened(database_url) as database:
        leases = Leases(database)
        for number in range(3):
            job_id, _ = await accept(Jobs(database), draft(issue=number + 1), Enqueued())
            await leases.open(LeaseId(f"l{number}"), job_id, "pool", REQUEST)
        assert await leases.claim(LeaseId("l0"), slots) == ("gpu-1", 0)
    async with opened(database_url) as database:
        leases = Leases(database)
        assert await leases.claim(LeaseId("l1"), slots) == ("gpu-2", 0)
        assert await leases.claim(LeaseId("l2"), slots) is None
        assert await leases.claim(LeaseId("l0"), slots) == ("gpu-1", 0)
        await leases.release(LeaseId("l0"))
        assert await leases.claim(LeaseId("l2"), slots) == ("gpu-1", 0)
        assert [lease.id for lease in await leases.living()] == ["l1", "l2"]


async def test_a_released_lease_stays_released(database: Database) -> None:
    """A process that was frozen and wakes up does not reserve again after the release."""
    leases = Leases(database)
    job_id, _ = await accept(Jobs(database), draft(), Enqueued())
    await leases.open(LeaseId("l"), job_id, "pool", REQUEST)
    await leases.release(LeaseId("l"))
    await leases.open(LeaseId("l"), job_id, "pool", REQUEST)
    with pytest.raises(MachineError):
        await leases.claim(LeaseId("l"), [("gpu-1", 1)])
    with pytest.raises(MachineError):
        await leases.extend(LeaseId("l"), datetime.now(UTC))
    assert await leases.machine(LeaseId("l")) is None


async def test_the_first_writing_of_a_document_stays(database: Database) -> None:
    """A step that runs twice does not change the frozen issue."""
    documents = Documents(database)
    job_id, _ = await accept(Jobs(database), draft(), Enqueued())
    await documents.keep(job_id, 1, "issue.json", "first")
    await documents.keep(job_id, 1, "issue.json", "second")
    await documents.keep(job_id, 1, "log", "a\0b")
    assert await documents.read(job_id, 1, "issue.json") == "first"
    assert await documents.read_all(job_id, 1) == {
        "issue.json": "first",
        "log": "a\N{REPLACEMENT CHARACTER}b",
    }


async def test_an_old_database_stops_the_start(database_url: str) -> None:
    """A database without the tables is named, with what to do."""
    database = await asyncio.to_thread(Database, database_url)
    with pytest.raises(ConfigurationError, match="ptq db upgrade"):
        await database.require_current()
    await database.upgrade()
    await database.require_current()
    await database.close()


async def test_a_newer_database_stops_the_start(database: Database) -> None:
    """An older ptq says what is to be done, and changes nothing, instead of a stack of errors."""
    newer = sa.text("UPDATE alembic_version SET version_num = '9999'")
    await database.call(lambda connection: connection.execute(newer).rowcount)
    for doing in (database.require_current, database.upgrade):
        with pytest.raises(ConfigurationError, match="version 9999, which a newer ptq made"):
            await doing()


async def test_two_upgrade_at_once(database_url: str, tmp_path: Path) -> None:
    """Each of several hosts may do it in a deploy: one after the other, and none fails."""
    settings = Settings(database_url=database_url, state_dir=tmp_path)
    await asyncio.gather(*(upgrade(settings) for _ in range(3)))
    database = await asyncio.to_thread(Database, database_url)
    await database.require_current()
    await database.close()


async def test_the_migrations_make_the_tables(database: Database) -> None:
    """What the code believes of the tables is what an upgraded database has."""

    def differences(connection: sa.Connection) -> list[str]:
        context = MigrationContext.configure(connection)
        found: list[Any] = compare_metadata(context, tables.metadata)
        flat: list[Any] = []
        for each in found:  # what changes in a table's columns is a list of its own
            flat += each if isinstance(each, list) else [each]
        # Comments are for readers.
        return [str(one) for one in flat if one[0] != "modify_comment"]

    assert await database.call(differences) == []


def test_a_state_directory_has_one_process(tmp_path: Path) -> None:
    """A second service on the same SQLite file is refused, and told why."""
    with only_process(tmp_path / "lock"):
        second = only_process(tmp_path / "lock")
        with pytest.raises(ConfigurationError, match="another ptq"):
            second.__enter__()
    with only_process(tmp_path / "lock"):
        pass
