"""Time and money: an agent ends at its limits, also where it does not heed them; time is extended."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
from inline_snapshot import snapshot

from bot.agents import deadlines, runs
from bot.errors import Refusal
from bot.investigation import extend_lease
from bot.investigation.extending import begun_anew
from bot.machines import PoolProvider
from bot.machines.local import LocalShell
from bot.models import GpuRequest, JobState, LeaseId
from bot.store import Database, Jobs, Leases
from tests import scenes
from tests.fakes import desk as desks
from tests.fakes.desk import Desk, read_log, script
from tests.test_store import Enqueued, accept, draft

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from bot.investigation import Parts
    from tests.harness import Bot

desk = desks.desk


def event(kind: str, **fields: Any) -> dict[str, Any]:  # noqa: ANN401 -- JSON
    """Have the agent write an event of its log that it did not earn."""
    return {"raw": json.dumps({"type": kind, **fields})}


def answers(many: int) -> scenes.Steps:
    """Have the agent's model answer so often."""
    return [
        event("assistant", message={"id": f"m{number}", "model": "x", "content": []})
        for number in range(many)
    ]


async def partial(bot: Bot, steps: scenes.Steps, comment: str) -> str:
    """Have an agent that never ends stopped for a limit; return what people are told."""
    bot.agent_does([{"write": "worklog.md", "text": "- began\n"}, *steps, {"hang": True}])
    await bot.comment(comment)
    await bot.next_text()
    closing = (await bot.next_text()).partition("\n")[2]
    assert (await bot.job()).state is JobState.FAILED
    assert "- began" in bot.report()
    assert "It may be incomplete, because the run was cut short." in closing
    assert await bot.service.leases.living() == []
    return closing.partition("\n")[0]


async def test_an_agent_that_does_not_heed_its_turns(bot: Bot) -> None:
    """Well beyond its turns it is stopped; the files are posted, and marked as partial."""
    told = await partial(bot, answers(6), "/ptq investigate --max-turns 3")
    assert told == snapshot(
        "@maintainer The agent used up its 3 turns before it was done. I ran the repro myself: it fails at base in 3 of 3 runs."
    )


async def test_an_agent_that_does_not_heed_its_money(bot: Bot) -> None:
    """The same with the spend that its log tells."""
    spent = event("result", subtype="success", total_cost_usd=2.5)
    told = await partial(bot, [spent], "/ptq investigate --max-usd 2")
    assert told == snapshot(
        "@maintainer The agent used up its $2.00 before it was done. I ran the repro myself: it fails at base in 3 of 3 runs."
    )


async def test_an_agent_is_told_that_its_time_is_nearly_over(bot: Bot) -> None:
    """At the soft deadline it writes down what it has, and ends by itself."""
    bot.issue.body = scenes.PASSING
    told = {"wait_for": "${env.PTQ_RUN_DIR}/soft-deadline"}
    bot.agent_does([told, *scenes.not_reproduced()])
    await bot.comment("/ptq investigate --hours 0.008")
    await bot.next_text()
    await bot.next_text()
    assert (await bot.job()).state is JobState.FINISHED
    assert "It is what the verdict says." in bot.report()


# More time


@asynccontextmanager
async def elsewhere(bot: Bot) -> AsyncGenerator[tuple[Leases, PoolProvider]]:
    """Be another process on the same database."""
    database = await asyncio.to_thread(Database, bot.settings.database)
    leases = Leases(database)
    yield leases, PoolProvider(bot.settings.machines, leases)
    await database.close()


async def written(path: Path) -> dict[str, Any]:
    """Return what a JSON file holds, once it is there."""
    async with aclosing(LocalShell().tail(str(path))) as chunks:
        async for chunk in chunks:
            return json.loads(chunk.data)
    raise AssertionError("not reached")


async def outlived(bot: Bot) -> None:
    """Let the service be down until the time of the one reservation is over."""
    database = await asyncio.to_thread(Database, bot.settings.database)
    (lease,) = await Leases(database).living()
    await Leases(database).extend(lease.id, datetime.now(UTC) - timedelta(hours=1))
    await database.close()


async def test_the_service_is_down_before_the_agent_starts(world: Bot) -> None:
    """The time of a machine that nothing was done with begins anew: the agent has all of it."""
    world.agent_does(scenes.not_reproduced())
    gate = world.github.hold_next("PATCH", "*/issues/comments/*")
    async with world.serving():
        await world.comment("/ptq investigate --hours 2")
        await world.next_text()
        await world.reached(JobState.PREPARING)
    gate.set()
    await outlived(world)
    async with world.serving() as service:
        assert "I ran the repro myself" in await world.next_text()
        assert (await world.job()).state is JobState.FINISHED
        assert await service.leases.living() == []


async def test_the_service_is_down_before_the_machine_is_known(world: Bot) -> None:
    """It had its turn, and nobody asked the provider: that is done with the whole time."""
    database = await asyncio.to_thread(Database, world.settings.database)
    await database.upgrade()
    jobs, leases = Jobs(database), Leases(database)
    job_id, _ = await accept(jobs, draft(), Enqueued())
    lease_id = LeaseId(f"{job_id}/1")
    request = GpuRequest(gpu_type="h100", gpus=1, duration=timedelta(hours=4))
    await leases.open(lease_id, job_id, "pool", request)
    await leases.claim(lease_id, [("gpu-1", 1)])
    provider = PoolProvider(world.settings.machines, leases)
    reservation = await provider.reserve(lease_id, request)
    parts = cast("Parts", SimpleNamespace(leases=leases, provider=provider))
    asked = (await jobs.get(job_id)).request
    half = request.duration / 2

    assert await begun_anew(parts, asked, reservation, at_least=half) == reservation
    await leases.extend(lease_id, datetime.now(UTC) + timedelta(hours=1))
    whole = await begun_anew(parts, asked, reservation, at_least=half)
    assert whole.expires_at - datetime.now(UTC) > timedelta(hours=asked.options.hours - 0.1)
    assert await leases.ends([lease_id]) == {lease_id: whole.expires_at}
    await provider.close()
    await database.close()


async def test_more_time_moves_the_deadlines_of_the_agent(bot: Bot) -> None:
    """Whichever process is asked: the one that follows the agent moves its deadlines."""
    bot.issue.body = scenes.PASSING
    gate = bot.directory / "go"
    bot.agent_does([{"wait_for": str(gate)}, *scenes.not_reproduced()])
    await bot.comment("/ptq investigate --hours 1")
    await bot.next_text()
    await bot.reached(JobState.INVESTIGATING)
    (job,) = await bot.service.jobs.unfinished()
    (before,) = await bot.service.leases.living()
    run = bot.machine.home / "ptq_workspace/jobs" / job.id / "run-1"
    # What was extended before it starts is in its deadlines from the first.
    assert await written(run / "agent.json")
    async with elsewhere(bot) as (leases, provider):
        for _ in range(2):
            end = await extend_lease(leases, provider, job.id, hours=2, limit=4, key="comment/7")
            assert end - before.expires_at == timedelta(hours=2)
        with pytest.raises(Refusal) as refused:
            await extend_lease(leases, provider, job.id, hours=1.5, limit=4, key="comment/8")
    assert str(refused.value) == snapshot(
        "`--hours 1.5` would make 4.5 hours in all, and 4 are allowed here: the machine is reserved for 3."
    )
    assert await written(run / deadlines.FILE) == {"later": 7200.0}
    gate.touch()
    await bot.next_text()
    await bot.job()
    with pytest.raises(Refusal, match="has no machine now, so there is no time to extend"):
        await extend_lease(
            bot.service.leases,
            PoolProvider((), bot.service.leases),
            job.id,
            hours=1,
            limit=9,
            key="x",
        )


async def test_moved_deadlines_count_from_the_start(desk: Desk) -> None:
    """A run whose deadlines were moved lives on beyond them, and is told at the new soft one."""
    run = desk.run(soft=timedelta(seconds=-59.5), hard=timedelta(seconds=-59))
    await deadlines.move(desk.shell, run, later=timedelta(minutes=1))
    agent = script("until [ -e run-1/soft-deadline ]; do sleep 0.05; done; echo seen")

    await runs.start(desk.shell, run, agent)

    assert await read_log(desk, run) == b"seen\n"
    assert not (await runs.status(desk.shell, run)).timed_out


async def test_an_agent_that_was_told_has_time_again(desk: Desk) -> None:
    """More time takes the soft deadline back, and whether the agent has been told of it."""
    run = desk.run(soft=timedelta(seconds=-1))
    agent = script(
        "until [ -e run-1/soft-deadline ]; do sleep 0.05; done; touch run-1/soft-deadline.told;"
        "echo 1; while [ -e run-1/soft-deadline.told ]; do sleep 0.05; done; ls run-1"
    )
    await runs.start(desk.shell, run, agent)
    await desk.number("run-1.log")

    await deadlines.move(desk.shell, run, later=timedelta(hours=1))

    assert b"soft-deadline" not in await read_log(desk, run)
