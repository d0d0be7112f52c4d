"""`/ptq kill`, `cancel` and `stop`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from inline_snapshot import snapshot

from bot.models import JobState
from tests import scenes
from tests.harness import MAINTAINER, REPORTER, REPOSITORY, TRIAGER
from tests.running import at_work, ended, stopped

if TYPE_CHECKING:
    from tests.harness import Bot


@pytest.mark.parametrize("text", ["/ptq kill", "/ptq cancel 1", "/ptq STOP #1"])
async def test_a_job_is_stopped(bot: Bot, text: str) -> None:
    """What follows is told at once, and the closing comment says that it was stopped."""
    await at_work(bot)
    asked = await bot.comment(text)
    texts = [await bot.next_text(), await bot.next_text()]
    answer = next(one for one in texts if "ptq:reply" in one)
    closing = next(one for one in texts if "ptq:closing" in one)
    assert answer.partition("\n")[2] == snapshot(
        "@maintainer I am stopping job `YYYYMMDD-pytorch-1`: its agent ends, what it wrote is kept and shown, and `gpu-1` is given back. A closing comment follows."
    )
    assert closing.partition("\n")[2] == snapshot("""\
@maintainer This job was stopped by maintainer before it was done.

What is known is in [the comment above](https://github.com/pytorch/pytorch/issues/1#issuecomment-ID). It may be incomplete, because the run was cut short.\
""")
    assert bot.reactions(asked) == ["eyes"]
    assert (await bot.job()).state is JobState.CANCELLED
    assert await bot.service.leases.living() == []


async def test_a_job_that_waits_is_stopped(bot: Bot) -> None:
    """It gives up its place in the queue."""
    first = await at_work(bot)
    other = bot.github.add_issue(REPOSITORY, "Another", author=REPORTER)
    await bot.comment("/ptq investigate", issue=other)
    await bot.next_text()
    await bot.reached(JobState.QUEUED)
    await bot.comment("/ptq status", issue=other)
    assert "| queue | 1st in the queue. It waits because every" in await bot.next_text()
    await bot.comment("/ptq list", issue=other)
    assert (await bot.next_text()).partition("\n")[2] == snapshot("""\
| state | job | issue | runs | machine | reserved until |
|---|---|---|---|---|---|
| waiting for a machine, 1st in the queue | [`YYYYMMDD-pytorch-2`](https://github.com/pytorch/pytorch/issues/2#issuecomment-ID) | `#2` | 1 |  |  |
| investigating | [`YYYYMMDD-pytorch-1`](https://github.com/pytorch/pytorch/issues/1#issuecomment-ID) | `#1` | 1 | `gpu-1` | DATE UTC |\
""")
    await bot.comment("/ptq kill", issue=other)
    texts = [await bot.next_text(), await bot.next_text()]
    assert sorted(text.partition("\n")[2] for text in texts) == snapshot(
        [
            "@maintainer I am stopping job `YYYYMMDD-pytorch-2`. It has no machine yet.",
            """\
@maintainer This job was stopped by maintainer before it was done.

What is known is in [the comment above](https://github.com/pytorch/pytorch/issues/2#issuecomment-ID).\
""",
        ]
    )
    await stopped(bot, first)


async def test_who_asked_may_stop_it(bot: Bot) -> None:
    """Whoever lost the right to ask may stop what he asked for; others need the right."""
    job = await at_work(bot)
    refused = await bot.comment("/ptq kill", author=TRIAGER)
    assert (await bot.next_text()).partition("\n")[2] == snapshot(
        "@triager I cannot do that: it takes write permission on this repository."
    )
    del bot.github.world.project(REPOSITORY).roles[MAINTAINER]
    await bot.comment(f"/ptq kill {job.id}")
    await bot.next_text()
    await bot.next_text()
    assert bot.reactions(refused) == ["confused"]
    assert (await bot.job()).kill_requested_by == MAINTAINER


async def test_nothing_to_stop(bot: Bot) -> None:
    """A job that has ended is not stopped, and neither is one that never was."""
    await bot.comment("/ptq kill")
    assert (await bot.next_text()).partition("\n")[2] == snapshot(
        "@maintainer I cannot do that: there is no job here yet: `/ptq investigate` asks for one."
    )
    bot.agent_does(scenes.not_reproduced())
    await ended(bot)
    asked = await bot.comment("/ptq kill")
    assert (await bot.next_text()).partition("\n")[2] == snapshot(
        "@maintainer I cannot do that: job `YYYYMMDD-pytorch-1` has ended already: `/ptq results` shows what it found."
    )
    await bot.handled()
    assert bot.reactions(asked) == ["confused"]


async def test_a_wrong_kill(bot: Bot) -> None:
    """Nothing is stopped by a command that is not understood."""
    await bot.comment("/ptq kill it now")
    assert (await bot.next_text()).partition("\n")[2] == snapshot("""\
@maintainer `it` is not a job's id or its issue's number.

Usage: `/ptq kill [JOB]` · `/ptq help kill` says more.\
""")
    await bot.comment("/ptq kill --force")
    assert (await bot.next_text()).partition("\n")[2] == snapshot("""\
@maintainer There is no option `--force` here.

Usage: `/ptq kill [JOB]` · `/ptq help kill` says more.\
""")
