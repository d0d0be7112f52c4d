"""The providers: slots of named machines, lent by leases in the database."""

from __future__ import annotations

import asyncio
import os
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from bot.errors import MachineError, MachineUnreachable, NoMachine
from bot.machines import LocalProvider, PoolProvider, provider
from bot.machines.local import login_environment
from bot.models import (
    DeliveryId,
    GpuRequest,
    JobId,
    JobRequest,
    LeaseId,
    Person,
    RepositoryName,
)
from bot.settings import LocalSettings, Settings
from bot.store import Database, Jobs, Leases
from tests.fakes.machine import FakeMachine

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from bot.machines.base import MachineProvider

CPU = GpuRequest(gpu_type="cpu", gpus=1, duration=timedelta(hours=4))


LEASES = "abcd"
"""Each is a lease, and the job that it is for."""


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Name the database of one test."""
    return f"sqlite:///{tmp_path / 'ptq.sqlite'}"


@asynccontextmanager
async def _book(url: str) -> AsyncGenerator[Leases]:
    database = await asyncio.to_thread(Database, url)
    await database.upgrade()
    jobs = Jobs(database)
    for number, name in enumerate(LEASES, start=1):
        await jobs.accept(
            _job(name, number),
            delivery_id=DeliveryId(name),
            ordinal=0,
            enqueue=lambda _connection, _job_id: None,
        )
    try:
        yield Leases(database)
    finally:
        await database.close()


@pytest.fixture
async def leases(url: str) -> AsyncGenerator[Leases]:
    """Keep leases in a real database."""
    async with _book(url) as leases:
        yield leases


@pytest.fixture(params=["local", "pool"])
async def two_slots(
    request: pytest.FixtureRequest, leases: Leases, tmp_path: Path
) -> AsyncGenerator[MachineProvider]:
    """Lend two slots of one machine, in both ways."""
    if request.param == "local":
        local = LocalProvider(LocalSettings(slots=2), leases)
        yield local
        await local.close()
        return
    async with FakeMachine(tmp_path / "machine", name="local", slots=2) as machine:
        pool = PoolProvider([machine.settings], leases)
        yield pool
        await pool.close()


def _job(name: str, number: int) -> JobRequest:
    return JobRequest(
        job_id=JobId(name),
        repository=RepositoryName(owner="pytorch", name="pytorch"),
        installation_id=1,
        issue_number=number,
        requester=Person(login="maintainer", id=7),
        command_comment_id=number,
        asked_at=datetime(2026, 1, 2, tzinfo=UTC),
    )


async def _open(leases: Leases, *names: str, request: GpuRequest = CPU) -> list[LeaseId]:
    ids = [LeaseId(name) for name in names]
    for lease_id in ids:
        await leases.open(lease_id, JobId(lease_id), "pool", request)
    return ids


async def test_a_slot_is_lent_once(two_slots: MachineProvider, leases: Leases) -> None:
    """Two slots make two reservations; the third waits until one is given back."""
    a, b, c = await _open(leases, "a", "b", "c")

    first = await two_slots.reserve(a, CPU)
    second = await two_slots.reserve(b, CPU)
    with pytest.raises(NoMachine, match="every slot is taken: local") as refusal:
        await two_slots.reserve(c, CPU)
    await two_slots.release(a)
    third = await two_slots.reserve(c, CPU)

    assert not refusal.value.final
    assert (first.slot, second.slot, third.slot) == (0, 1, 0)
    assert first.machine == "local"
    assert first.gpu_type == "cpu"
    assert first.provider == two_slots.name
    assert timedelta(hours=3) < first.expires_at - datetime.now(UTC) <= timedelta(hours=4)


async def test_asking_twice_is_one_reservation(two_slots: MachineProvider, leases: Leases) -> None:
    """A repeated request finds what it reserved before, also when both come at once."""
    (a,) = await _open(leases, "a")

    both = await asyncio.gather(two_slots.reserve(a, CPU), two_slots.reserve(a, CPU))

    assert both[0] == both[1] == await two_slots.reserve(a, CPU) == await two_slots.look_up(a)


async def test_a_released_lease_stays_dead(two_slots: MachineProvider, leases: Leases) -> None:
    """What was released is never reserved, looked up or extended again; releasing it is fine."""
    (a,) = await _open(leases, "a")
    await two_slots.reserve(a, CPU)

    await two_slots.release(a)
    await two_slots.release(a)

    assert await two_slots.look_up(a) is None
    with pytest.raises(MachineError):
        await two_slots.reserve(a, CPU)
    with pytest.raises(MachineError):
        await two_slots.extend(a, datetime.now(UTC))


async def test_a_lease_that_nobody_wrote_down_is_refused(two_slots: MachineProvider) -> None:
    """The row stands before the request: without it nothing is lent."""
    with pytest.raises(MachineError, match="unknown"):
        await two_slots.reserve(LeaseId("never"), CPU)
    assert await two_slots.look_up(LeaseId("never")) is None
    await two_slots.release(LeaseId("never"))


async def test_an_end_is_moved(two_slots: MachineProvider, leases: Leases) -> None:
    """An extension is seen by whoever looks."""
    (a,) = await _open(leases, "a")
    await two_slots.reserve(a, CPU)
    until = datetime.now(UTC) + timedelta(hours=7)

    extended = await two_slots.extend(a, until)

    assert extended.expires_at == until
    assert await two_slots.look_up(a) == extended


async def test_a_shell_opens_on_what_was_reserved(
    two_slots: MachineProvider, leases: Leases
) -> None:
    """A reservation is a machine to work on."""
    (a,) = await _open(leases, "a")
    reservation = await two_slots.reserve(a, CPU)

    async with two_slots.shell(reservation) as shell:
        assert (await shell.run("echo", "hello")).stdout == "hello\n"


async def test_a_restart_lends_nothing_twice(url: str, tmp_path: Path) -> None:
    """Another process that opens the same database sees what is lent."""
    async with FakeMachine(tmp_path / "machine") as machine:
        async with _book(url) as leases:
            pool = PoolProvider([machine.settings], leases)
            (a,) = await _open(leases, "a")
            before = await pool.reserve(a, CPU)
            await pool.close()
        async with _book(url) as leases:
            pool = PoolProvider([machine.settings], leases)
            (b,) = await _open(leases, "b")
            with pytest.raises(NoMachine):
                await pool.reserve(b, CPU)
            assert await pool.look_up(LeaseId("a")) == before
            await pool.release(LeaseId("a"))
            assert (await pool.reserve(b, CPU)).slot == before.slot
            await pool.close()


async def test_the_smallest_machine_that_fits_is_lent(leases: Leases, tmp_path: Path) -> None:
    """The kind of GPU counts in any case of letters, their number at least, a name exactly."""
    two = FakeMachine(tmp_path / "two", name="two", gpu_type="H100", gpus=2)
    eight = FakeMachine(tmp_path / "eight", name="eight", gpu_type="H100", gpus=8)
    a100 = FakeMachine(tmp_path / "a100", name="a100", gpu_type="a100", gpus=1)
    async with eight, two, a100:
        pool = PoolProvider([eight.settings, two.settings, a100.settings], leases)
        a, b, c, d = await _open(leases, "a", "b", "c", "d")
        h100 = GpuRequest(gpu_type="h100", gpus=2, duration=timedelta(hours=1))

        assert (await pool.reserve(a, h100)).machine == "two"
        assert (await pool.reserve(b, h100)).machine == "eight"
        named = h100.model_copy(update={"machine": "a100", "gpus": 1})
        assert (await pool.reserve(c, named)).gpu_type == "a100"
        with pytest.raises(NoMachine) as nothing:
            await pool.reserve(d, h100.model_copy(update={"gpu_type": "b200"}))
        assert nothing.value.final
        assert str(nothing.value) == (
            "asked for 2 × b200, there is a100 (1 × a100), two (2 × H100), eight (8 × H100)"
        )
        for wrong in ({"gpus": 9}, {"machine": "a100"}, {"machine": "none", "gpus": 1}):
            with pytest.raises(NoMachine, match="asked for") as nothing:
                await pool.reserve(d, h100.model_copy(update=wrong))
            assert nothing.value.final
        await pool.close()


async def test_a_machine_that_is_away_is_not_lent(leases: Leases, tmp_path: Path) -> None:
    """Reserving says that the machine does not answer; once it does, the same lease has it."""
    async with FakeMachine(tmp_path / "machine") as machine:
        pool = PoolProvider([machine.settings], leases)
        (a,) = await _open(leases, "a")
        await machine.refuse()
        with pytest.raises(MachineUnreachable):
            await pool.reserve(a, CPU)
        await machine.accept()
        assert (await pool.reserve(a, CPU)).machine == "machine"
        await pool.close()


async def test_a_machine_taken_off_the_list_is_told(leases: Leases, tmp_path: Path) -> None:
    """A lease on a machine that the settings no longer name can still be released."""
    async with (
        FakeMachine(tmp_path / "old", name="old") as old,
        FakeMachine(tmp_path / "new", name="new") as new,
    ):
        before = PoolProvider([old.settings], leases)
        (a,) = await _open(leases, "a")
        reservation = await before.reserve(a, CPU)
        after = PoolProvider([new.settings], leases)

        with pytest.raises(MachineError, match="old is not in the settings"):
            await after.look_up(a)
        with pytest.raises(MachineError, match="old is not in the settings"):
            async with after.shell(reservation):
                raise AssertionError("no shell")
        await after.release(a)
        assert await before.look_up(a) is None
        await before.close()


async def test_the_settings_choose_the_provider(leases: Leases, tmp_path: Path) -> None:
    """``PTQ_PROVIDER`` says who lends machines."""
    async with FakeMachine(tmp_path / "machine") as machine:
        pool = provider(Settings(provider="pool", machines=(machine.settings,)), leases)
        local = provider(Settings(provider="local"), leases)

        assert (pool.name, local.name) == ("pool", "local")


def test_the_local_machine_knows_none_of_the_bots_secrets() -> None:
    """A command on our own machine has a login's environment, not the bot's."""
    variables = {
        "PTQ_GITHUB__PRIVATE_KEY": "secret",
        "ANTHROPIC_API_KEY": "secret",
        "GITHUB_TOKEN": "secret",
        "UV_PUBLISH_TOKEN": "secret",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "PATH": os.environ["PATH"],
        "HOME": "/home/somebody",
        "UV_INDEX_URL": "https://index.example",
        "https_proxy": "http://proxy.example",
    }

    left = login_environment(variables)

    assert sorted(left) == ["HOME", "PATH", "UV_INDEX_URL", "https_proxy"]
