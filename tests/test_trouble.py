"""GitHub has a bad day; the job goes on, or says what it could not do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from inline_snapshot import snapshot

from bot.models import JobState
from tests import scenes
from tests.harness import REPOSITORY

if TYPE_CHECKING:
    from tests.harness import Bot

SOON = {"retry-after": "0"}


async def test_a_token_ends_early(bot: Bot) -> None:
    """A 401 gets a new token, and the call is made again."""
    await bot.comment("/ptq investigate")
    await bot.next_text()
    bot.github.expire_tokens()
    assert "draft pull request" in await bot.next_text()
    await bot.job()


@pytest.mark.parametrize(
    ("status", "headers"),
    [(403, SOON), (429, SOON), (502, {}), (503, {})],
    ids=["secondary limit", "limit", "bad gateway", "unavailable"],
)
async def test_github_refuses_for_a_while(bot: Bot, status: int, headers: dict[str, str]) -> None:
    """Each call of a job may meet it: it waits, tries again, and nothing is made twice."""
    for method, route in (
        ("GET", "*/collaborators/*"),
        ("POST", "*/reactions"),
        ("GET", "*/issues/*"),
        ("POST", "*/issues/*/comments"),
        ("POST", "*/git/blobs"),
        ("POST", "*/git/commits"),
        ("POST", "*/git/refs"),
        ("POST", "*/pulls"),
    ):
        bot.github.fail_next(method, route, status=status, headers=headers)
    await bot.comment("/ptq investigate")
    await bot.next_text()
    assert "draft pull request" in await bot.next_text()
    job = await bot.job()
    assert job.state is JobState.FINISHED
    assert len(bot.comments()) == 2
    assert len(bot.github.pulls(REPOSITORY)) == 1


async def test_github_will_not_have_the_pull_request(bot: Bot) -> None:
    """A 422 is final: the patch is in the report, and the answer says why it is only there."""
    bot.github.fail_next("POST", "*/pulls", status=422, body={"message": "Validation Failed"})
    await bot.comment("/ptq investigate")
    await bot.next_text()
    assert (await bot.next_text()).partition("\n")[2] == snapshot("""\
@maintainer I ran the repro myself: it fails at base in 3 of 3 runs, and passes with the change in 3 of 3. I opened no pull request. GitHub refused a request.

In the agent's words:
> `unpad_sequence` transposed the caller's batch in place. It works on a copy now, and a test holds that.

The report, with all that I ran, is in [the comment above](https://github.com/pytorch/pytorch/issues/1#issuecomment-ID). No person has checked what the agent says there.\
""")
    job = await bot.job()
    assert job.state is JobState.FINISHED
    assert "padded = transpose(padded)" in bot.report()


async def test_the_progress_comment_is_deleted(bot: Bot) -> None:
    """The closing comment is written all the same."""
    gate = bot.directory / "go"
    bot.agent_does([{"wait_for": str(gate)}, *scenes.not_reproduced()])
    await bot.comment("/ptq investigate")
    await bot.next_text()
    bot.issue.comments.remove(bot.comments()[0])
    gate.touch()
    assert "I ran the repro myself" in await bot.next_text()
    assert (await bot.job()).state is JobState.FINISHED


async def test_the_app_may_not_write_here(bot: Bot) -> None:
    """Without the right to comment nothing is reserved, and the job ends."""
    bot.github.fail_next(
        "POST",
        "*/issues/*/comments",
        status=403,
        body={"message": "Resource not accessible by integration"},
        times=10,
    )
    await bot.comment("/ptq investigate")
    await bot.handled()
    job = await bot.job()
    assert job.state is JobState.FAILED
    assert bot.machine.commands == []


async def test_the_connection_to_the_machine_drops(bot: Bot) -> None:
    """The agent goes on; its log is read on from where it was."""
    gate = bot.directory / "go"
    bot.agent_does([{"say": "Before."}, {"wait_for": str(gate)}, *scenes.not_reproduced()])
    await bot.comment("/ptq investigate")
    await bot.next_text()
    await bot.reached(JobState.INVESTIGATING)
    await bot.machine.drop_connections()
    gate.touch()
    assert "I ran the repro myself" in await bot.next_text()
    job = await bot.job()
    assert job.progress is not None
    assert job.progress.turns == 4
