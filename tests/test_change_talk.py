"""`/ptq extend`, `pr`, `clean` and `run`: commands that change a job or make another one."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from inline_snapshot import snapshot

from bot.models import GpuRequest, JobState, LeaseId
from tests import scenes
from tests.harness import REPOSITORY, TRIAGER
from tests.running import at_work, ended, stopped

if TYPE_CHECKING:
    from tests.harness import Bot

pytestmark = pytest.mark.timeout(180)
"""Seconds: these are talks about whole jobs."""


async def test_more_time(bot: Bot) -> None:
    """The reservation's end moves, within the limits, and both are told."""
    job = await at_work(bot)
    (before,) = await bot.service.leases.living()
    asked = await bot.comment("/ptq extend --hours 1.5")
    assert (await bot.next_text()).partition("\n")[2] == snapshot(
        "@maintainer Job `YYYYMMDD-pytorch-1` has its machine until DATE UTC now."
    )
    (after,) = await bot.service.leases.living()
    assert (after.expires_at - before.expires_at).total_seconds() == 1.5 * 3600
    await bot.comment(f"/ptq extend {job.id} --hours 20")
    assert (await bot.next_text()).partition("\n")[2] == snapshot(
        "@maintainer I cannot do that: `--hours 20` would make 25.5 hours in all, and 8 are allowed here: the machine is reserved for 5.5."
    )
    await bot.comment("/ptq clean")
    assert (await bot.next_text()).partition("\n")[2] == snapshot(
        "@maintainer I cannot do that: job `YYYYMMDD-pytorch-1` is running, and its files are in use: `/ptq kill` stops it."
    )
    await bot.comment("/ptq pr")
    assert (await bot.next_text()).partition("\n")[2] == snapshot(
        "@maintainer I cannot do that: job `YYYYMMDD-pytorch-1` has not ended: it opens its draft pull request itself, if it proves a fix."
    )
    await bot.handled()
    assert bot.reactions(asked) == ["eyes"]
    await stopped(bot)


async def test_a_draft_that_was_not_wanted_at_first(bot: Bot) -> None:
    """It is opened when it is asked for; asked for twice it is one. Then the files are removed."""
    await ended(bot, "/ptq investigate --no-pr")
    assert bot.github.pulls(REPOSITORY) == []
    refused = await bot.comment("/ptq pr", author=TRIAGER)
    await bot.next_text()
    for _ in range(2):
        await bot.comment("/ptq pr")
        assert (await bot.next_text()).partition("\n")[2] == snapshot(
            "@maintainer The fix of job `YYYYMMDD-pytorch-1` is in [draft pull request #2](https://github.com/pytorch/pytorch/pull/2)."
        )
    (pull,) = bot.github.pulls(REPOSITORY)
    assert pull.pull is not None
    assert (pull.pull.head, pull.pull.draft) == ("ptq/1", True)
    assert "Draft pull request: [#2]" in bot.report()
    assert bot.reactions(refused) == ["confused"]

    jobs = Path(bot.machine.home) / "ptq_workspace" / "jobs"
    assert len(await asyncio.to_thread(lambda: [*jobs.iterdir()])) == 1
    await bot.comment("/ptq clean 1")
    assert (await bot.next_text()).partition("\n")[2] == snapshot(
        "@maintainer I removed the files of job `YYYYMMDD-pytorch-1` from `gpu-1`. Its report and its patch are kept."
    )
    assert await asyncio.to_thread(lambda: [*jobs.iterdir()]) == []
    await bot.comment("/ptq clean")
    assert "I removed the files" in await bot.next_text()


async def test_files_on_a_machine_from_which_a_job_moved(bot: Bot) -> None:
    """Every machine is cleaned that the job was ever on; one that is none of ours is named."""
    job = await ended(bot)
    leases, lease = bot.service.leases, LeaseId(f"{job.id}/1/2")
    hour = GpuRequest(gpu_type="h100", gpus=1, duration=timedelta(hours=1))
    await leases.open(lease, job.id, "pool", hour)
    await leases.claim(lease, [("gpu-9", 1)])
    await leases.release(lease)
    await bot.comment("/ptq clean")
    assert (await bot.next_text()).partition("\n")[2] == snapshot(
        "@maintainer I removed the files of job `YYYYMMDD-pytorch-1` from `gpu-1`. `gpu-9` is no machine of mine any more: nothing was removed there. Its report and its patch are kept."
    )


async def test_no_draft_without_a_proved_fix(bot: Bot) -> None:
    """The reason is told."""
    bot.agent_does(scenes.not_reproduced())
    await ended(bot)
    await bot.comment("/ptq pr")
    assert (await bot.next_text()).partition("\n")[2] == snapshot(
        "@maintainer I cannot do that: a pull request opens only on a proved `fixed`, and the verdict of job `YYYYMMDD-pytorch-1` is `reproduced`."
    )
    assert bot.github.pulls(REPOSITORY) == []


async def test_a_free_task_beside_the_job_of_its_issue(bot: Bot) -> None:
    """It is a job of its own, told in this thread; it waits for a machine as any other."""
    first = await at_work(bot)
    await bot.comment('/ptq run -m "Say what unpad_sequence does."')
    assert (await bot.next_text()).splitlines()[1] == snapshot(
        "**I am waiting for a machine** (job `YYYYMMDD-pytorch-adhoc-db7d599c`), as [asked for](https://github.com/pytorch/pytorch/issues/1#issuecomment-ID) by maintainer."
    )
    await bot.reached(JobState.QUEUED)
    (task,) = [job for job in await bot.service.jobs.unfinished() if job.id != first.id]
    assert task.request.task == "Say what unpad_sequence does."
    assert bot.plain(task.id) == snapshot("YYYYMMDD-pytorch-adhoc-db7d599c")
    await bot.comment(f"/ptq kill {task.id}")
    await bot.next_text()
    await bot.next_text()
    await stopped(bot, first)
