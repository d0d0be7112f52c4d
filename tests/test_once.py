"""What is asked or delivered twice is done once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inline_snapshot import snapshot

from bot.models import JobState
from tests import scenes
from tests.harness import REPOSITORY

if TYPE_CHECKING:
    from tests.harness import Bot


async def test_the_same_delivery_twice(bot: Bot) -> None:
    """A redelivery keeps its id, and changes nothing."""
    bot.agent_does(scenes.not_reproduced())
    await bot.comment("/ptq investigate")
    await bot.next_text()
    delivery = next(one for one in bot.github.deliveries if one.status == 202)
    assert (await bot.github.redeliver(delivery.id)).status == 202
    await bot.next_text()
    await bot.job()
    assert len(bot.comments()) == 2


async def test_the_same_comment_under_two_deliveries(bot: Bot) -> None:
    """A comment stands for one request, however often it is delivered."""
    bot.agent_does(scenes.not_reproduced())
    await bot.comment("/ptq investigate")
    delivery = bot.github.deliveries[0]
    await bot.github.deliver("issue_comment", delivery.body)
    await bot.next_text()
    await bot.next_text()
    await bot.job()
    await bot.handled()
    assert len(bot.comments()) == 2


async def test_two_people_ask_for_the_same_issue(bot: Bot) -> None:
    """An issue has one unfinished job; who asks again is pointed to it."""
    gate = bot.directory / "go"
    bot.agent_does([{"wait_for": str(gate)}, *scenes.not_reproduced()])
    await bot.comment("/ptq investigate")
    await bot.next_text()
    asked = await bot.comment("/ptq investigate --gpus 1")
    assert (await bot.next_text()).partition("\n")[2] == snapshot(
        "@maintainer This issue is being investigated already, in job [`YYYYMMDD-pytorch-1`](https://github.com/pytorch/pytorch/issues/1#issuecomment-ID). Please ask again when it has ended."
    )
    assert bot.reactions(asked) == ["eyes"]
    gate.touch()
    await bot.next_text()
    assert (await bot.job()).state is JobState.FINISHED


async def test_an_issue_can_be_investigated_again(bot: Bot) -> None:
    """It is the next run of its job, with comments of its own."""
    bot.agent_does(scenes.not_reproduced())
    for _ in range(2):
        await bot.comment("/ptq investigate")
        await bot.next_text()
        await bot.next_text()
        await bot.job()
    assert (await bot.job()).request.run == 2
    assert len(bot.comments()) == 4


async def test_the_service_is_stopped_and_started_in_the_middle(world: Bot) -> None:
    """The agent outlives the service; the next one goes on with the same run and comments."""
    gate = world.directory / "go"
    world.agent_does([{"wait_for": str(gate)}, *scenes.not_reproduced()])
    async with world.serving():
        await world.comment("/ptq investigate")
        await world.next_text()
        await world.reached(JobState.INVESTIGATING)
    gate.touch()
    async with world.serving():
        await world.next_text()
        job = await world.job()
    assert job.state is JobState.FINISHED
    assert len(world.comments()) == 2


async def test_the_service_is_stopped_while_jobs_wait(world: Bot) -> None:
    """A job in the queue is carried out by the next service; the machine is lent to one at a time."""
    gate = world.directory / "go"
    world.agent_does([{"wait_for": str(gate)}, *scenes.not_reproduced()])
    second = world.github.add_issue(REPOSITORY, "Another bug", world.issue.body)
    async with world.serving():
        await world.comment("/ptq investigate")
        await world.next_text()
        await world.reached(JobState.INVESTIGATING)
        await world.comment("/ptq investigate", issue=second)
        assert "waiting for a machine" in await world.next_text()
        await world.reached(JobState.QUEUED)
    gate.touch()
    async with world.serving():
        endings = [await world.next_text() for _ in range(2)]
        await world.job()
    assert all("I ran the repro myself" in ending for ending in endings)


async def test_an_answer_that_was_lost(bot: Bot) -> None:
    """A comment whose answer got lost is found again by its marker, not written twice."""
    bot.agent_does(scenes.not_reproduced())
    bot.github.fail_next("POST", "*/issues/*/comments", status=502, done=True)
    await bot.comment("/ptq investigate")
    await bot.next_text()
    bot.github.drop_next("POST", "*/issues/*/comments", done=True)
    await bot.next_text()
    await bot.job()
    assert len(bot.comments()) == 2


async def test_a_pull_request_whose_answer_was_lost(bot: Bot) -> None:
    """The branch and the pull request are found again."""
    bot.github.drop_next("POST", "*/git/refs", done=True)
    bot.github.drop_next("POST", "*/pulls", done=True)
    await bot.comment("/ptq investigate")
    await bot.next_text()
    assert "draft pull request" in await bot.next_text()
    await bot.job()
    assert len(bot.github.pulls(REPOSITORY)) == 1
