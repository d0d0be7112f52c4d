"""Many processes on Postgres: each may die, freeze or be replaced, and every job ends once."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bot.settings import WorkerSettings
from bot.store import Database, Leases
from tests import scenes
from tests.program import ended, environment_of, ptq, running

if TYPE_CHECKING:
    from tests.fakes.postgres import Postgres
    from tests.harness import Bot

pytestmark = pytest.mark.timeout(240)
"""Several programs start in each test, on a machine that may have much to do."""


async def investigating(bot: Bot) -> None:
    """Ask for a job, and wait until its agent works; it goes on when ``go`` is there."""
    gate = bot.directory / "go"
    bot.agent_does([{"wait_for": str(gate)}, *scenes.not_reproduced()])
    await bot.comment("/ptq investigate")
    await bot.next_text()
    await bot.edited("▶ Investigate")


async def ended_once(bot: Bot, *, is_read: bool = False) -> None:
    """The job ends in the thread, with two comments, one agent and no machine kept."""
    (bot.directory / "go").touch()
    if not is_read:
        assert "I ran the repro myself" in await bot.next_text()
    await bot.edited("This investigation has finished")
    assert len(bot.comments()) == 2
    assert agents_started(bot) == 1
    assert await living_leases(bot) == []


def agents_started(bot: Bot) -> int:
    """Return how many agents have written that they begin."""
    logs = bot.machine.home.glob("ptq_workspace/jobs/*/claude-*.log")
    return sum(log.read_text().count('"subtype": "init"') for log in logs)


async def living_leases(bot: Bot) -> list[str]:
    """Return the leases that nobody released."""
    database = Database(bot.settings.database)
    try:
        return [lease.id for lease in await Leases(database).living()]
    finally:
        await database.close()


async def test_a_killed_process_is_taken_over(shared: Bot) -> None:
    """Another process goes on with its jobs, without an operator."""
    async with running(shared, "serve") as first:
        await investigating(shared)
        async with running(shared, "worker") as second:
            await first.kill()
            await second.said("worker_taken_over")
            await ended_once(shared)


async def test_a_process_that_is_told_to_stop_hands_its_jobs_on(shared: Bot) -> None:
    """A rolling deploy loses nothing, and nobody waits for the silence."""
    patient = WorkerSettings(heartbeat=timedelta(seconds=0.2), silence=timedelta(minutes=5))
    shared.settings = shared.settings.model_copy(update={"workers": patient})
    async with running(shared, "serve") as first:
        await investigating(shared)
        async with running(shared, "worker") as second:
            assert await first.stop() == 0
            await second.said("work_recovered")
            await ended_once(shared)
            assert not [line for line in second.log if line["event"] == "worker_taken_over"], (
                first.log
            )


async def test_a_process_stops_while_the_database_is_away(shared: Bot, postgres: Postgres) -> None:
    """It waits for nobody who may never come back; its job goes on elsewhere."""
    async with running(shared, "serve") as first:
        await investigating(shared)
        await postgres.stop()
        try:
            await first.said("heartbeat_failed")
            assert await first.stop() == 0
        finally:
            await postgres.start()
    async with running(shared, "worker"):
        await ended_once(shared)


async def test_a_process_stops_while_github_is_away(shared: Bot) -> None:
    """What it could not say is said by the next one."""
    async with running(shared, "serve") as first:
        await investigating(shared)
        shared.github.faults.fail_next("*", "*", status=502, times=1000)
        (shared.directory / "go").touch()
        await first.said("step_retried")
        assert await first.stop() == 0
    shared.github.faults.clear()
    async with running(shared, "worker"):
        await ended_once(shared)


async def test_a_process_that_stops_begins_nothing(shared: Bot) -> None:
    """While its last steps have their grace it says that it lives, and no more."""
    async with running(shared, "serve") as first:
        await investigating(shared)
        gate = shared.github.hold_next("POST", "*/comments")
        (shared.directory / "go").touch()
        await gate.met.wait()
        assert await first.stop() == 0
        assert [line["event"] for line in first.log].count("worker_joined") == 1
        gate.set()
    async with running(shared, "worker"):
        await ended_once(shared)


async def test_two_processes_take_over_one(shared: Bot) -> None:
    """One of them goes on with the job."""
    async with running(shared, "serve") as first:
        await investigating(shared)
        async with running(shared, "worker") as second, running(shared, "worker") as third:
            await first.kill()
            await ended_once(shared)
            said = [line for line in (*second.log, *third.log) if "taken" in line]
            assert len({line["taken"] for line in said}) == len(said)


async def test_a_frozen_process_wakes_up(shared: Bot) -> None:
    """It finds that it was taken over, does nothing twice, and is of use again."""
    async with running(shared, "serve") as first:
        await investigating(shared)
        async with running(shared, "worker") as second:
            first.freeze()
            await second.said("worker_taken_over")
            await ended_once(shared)
            heard = len(first.log)
            first.thaw()
            await first.said("worker_lost", after=heard)
            await first.said("worker_joined", after=heard)
            await second.stop()
        await shared.comment("/ptq help")
        assert "/ptq investigate" in await shared.next_text()


async def test_a_process_that_was_frozen_in_the_middle_of_a_comment(shared: Bot) -> None:
    """GitHub has it only after the other one's; who wakes up takes back what is there twice."""
    async with running(shared, "serve") as first:
        await investigating(shared)
        gate = shared.github.hold_next("POST", "*/comments")
        (shared.directory / "go").touch()
        await gate.met.wait()
        first.freeze()
        async with running(shared, "worker") as second:
            await second.said("worker_taken_over")
            assert "I ran the repro myself" in await shared.next_text()
            # It has looked for others after its own, and saw none.
            await second.said("job_ended")
            gate.set()
            assert "I ran the repro myself" in await shared.next_text()
            heard = len(first.log)
            first.thaw()
            await first.said("comment_taken_back", after=heard)
            await first.said("worker_joined", after=heard)
            await ended_once(shared, is_read=True)


async def test_a_terminal_asks_and_a_worker_does(shared: Bot) -> None:
    """On Postgres a command only writes the job's row; nothing is started beside the workers."""
    shared.agent_does(scenes.not_reproduced())
    settings = environment_of(shared)
    number = str(shared.issue.number)
    status, _, told = await ended(await ptq("auto", "--issue", number, "--no-follow", **settings))
    assert status == 0, told
    _, out, _ = await ended(await ptq("status", number, "--json", **settings))
    assert json.loads(out)["state"] == "received"
    async with running(shared, "worker"):
        _, out, told = await ended(await ptq("follow", number, **settings))
    assert "finished  reproduced" in out, told
    assert shared.comments() == []
    assert agents_started(shared) == 1
    assert await living_leases(shared) == []
