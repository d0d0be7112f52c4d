"""Comments that no delivery told of are read again, and count once."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bot.models import JobState
from tests import scenes
from tests.fakes.github.talk import NAME, talking
from tests.harness import MAINTAINER, REPOSITORY, STRANGER

if TYPE_CHECKING:
    from tests.fakes.github.memory import Comment
    from tests.harness import Bot

NOBODY = "http://127.0.0.1:9/webhook"
COMMENTS = "/repos/{owner}/{repo}/issues/comments"


def often(bot: Bot) -> None:
    """Read comments again and again."""
    schedule = bot.settings.schedule.model_copy(update={"comments": timedelta(seconds=0.05)})
    bot.settings = bot.settings.model_copy(update={"schedule": schedule})


def reads(bot: Bot) -> int:
    """How often the comments of a repository were read."""
    return sum(one.route == COMMENTS for one in bot.github.requests)


async def read_again(bot: Bot) -> None:
    """Wait until a whole pass has begun and ended from now on."""
    before = reads(bot)
    await bot.github.wait_for(lambda: reads(bot) >= before + 2)


async def served_before(bot: Bot) -> None:
    """Run the service for a moment: from then on the repository is read."""
    often(bot)
    async with bot.serving():
        await read_again(bot)
    bot.github.listen(NOBODY)


def untold(bot: Bot, text: str, *, author: str = MAINTAINER) -> Comment:
    """Write a comment that GitHub does not even try to deliver."""
    return bot.github.add_comment(REPOSITORY, bot.issue.number, author, text)


async def test_a_comment_that_was_never_delivered(world: Bot) -> None:
    """The next start reads it, and carries it out as if it had been delivered."""
    world.agent_does(scenes.not_reproduced())
    await served_before(world)
    asked = untold(world, "/ptq investigate")
    async with world.serving():
        assert "waiting for a machine" in await world.next_text()
        assert "I ran the repro myself" in await world.next_text()
        job = await world.job()
        await read_again(world)
    assert job.state is JobState.FINISHED
    assert job.request.command_comment_id == asked.id
    assert job.request.requester.login == MAINTAINER
    assert world.reactions(asked) == ["eyes"]
    assert len(world.comments()) == 2


async def test_a_comment_that_comes_both_ways(world: Bot) -> None:
    """Made again by GitHub and read by us at the same start, it is one job."""
    world.agent_does(scenes.not_reproduced())
    await served_before(world)
    asked = await world.comment("/ptq investigate")
    async with world.serving():
        await world.next_text()
        await world.next_text()
        await world.job()
        await world.handled()
        await read_again(world)
    assert [one.redelivery for one in world.github.deliveries if one.status][:1] == [True]
    assert world.reactions(asked) == ["eyes"]
    assert len(world.comments()) == 2


async def test_a_comment_that_is_read_while_it_is_handled(world: Bot) -> None:
    """Two deliveries of a comment at the same moment get one answer."""
    await served_before(world)
    async with world.serving() as service:
        asking = world.github.hold_next("GET", "*/collaborators/*", times=2)
        await world.comment("/ptq help")
        while await service.deliveries.waiting() < 2:
            await read_again(world)
        asking.set()
        assert "/ptq investigate" in await world.next_text()
        await world.handled()
    assert len(world.comments()) == 1


async def test_what_was_said_before_the_first_start(world: Bot) -> None:
    """A repository is read from the first start on, not from the beginning of time."""
    untold(world, "/ptq investigate")
    often(world)
    async with world.serving() as service:
        world.issue.comments[0].created_at -= timedelta(seconds=1)
        world.issue.comments[0].updated_at -= timedelta(seconds=1)
        await read_again(world)
        await read_again(world)
        assert await service.deliveries.waiting() == 0
        assert await service.jobs.unfinished() == []


async def test_what_gives_no_command(world: Bot) -> None:
    """A quote, an edited comment, a bot's and our own are read and left alone."""
    await served_before(world)
    untold(world, "> /ptq investigate")
    late = untold(world, "Does it crash?")
    world.github.world.edit_comment(late, "/ptq investigate")
    late.updated_at += timedelta(seconds=30)
    untold(world, "/ptq investigate", author="ptq[bot]")
    async with world.serving() as service:
        await read_again(world)
        await read_again(world)
        assert await service.jobs.unfinished() == []
        assert await service.deliveries.waiting() == 0


async def test_a_stranger_is_refused_as_always(world: Bot) -> None:
    """Who may ask is asked of GitHub, however the comment came."""
    await served_before(world)
    asked = untold(world, "/ptq investigate", author=STRANGER)
    async with world.serving():
        await world.github.wait_for(lambda: world.reactions(asked) == ["confused"])
        await world.handled()
    assert world.comments() == []


async def test_a_repository_that_is_not_served(world: Bot) -> None:
    """The App may be installed where the operator serves nobody: nothing is read there."""
    await world.github.add_repository("pytorch/vision", collaborators={MAINTAINER: "write"})
    await served_before(world)
    read = {one.path.partition("/issues")[0] for one in world.github.requests if reads(world)}
    assert "/repos/pytorch/vision" not in read


async def test_github_does_not_tell_them(world: Bot) -> None:
    """A page that could not be read is read by a later pass: nothing is skipped."""
    await served_before(world)
    untold(world, "/ptq help")
    world.github.fail_next("GET", "*/issues/comments", status=404, times=2)
    async with world.serving():
        assert "/ptq investigate" in await world.next_text()


async def test_a_repository_that_github_does_not_give(world: Bot) -> None:
    """It was read longest ago, so it is the first in each pass: the others are read all the same."""
    other = "pytorch/audio"
    await world.github.add_repository(other)
    served = (*world.settings.github.repositories, other)
    github = world.settings.github.model_copy(update={"repositories": served})
    world.settings = world.settings.model_copy(update={"github": github})
    await served_before(world)
    world.github.fail_next("GET", "*/audio/issues/comments", status=404, times=1_000)
    async with world.serving():
        await read_again(world)
    untold(world, "/ptq help")
    world.github.faults.clear()
    elsewhere = {"link": '<https://example.org/2>; rel="next"'}
    world.github.fail_next(
        "GET", "*/audio/issues/comments", status=200, headers=elsewhere, body=[], times=1_000
    )
    async with world.serving():
        assert "/ptq investigate" in await world.next_text()


async def test_many_comments_come_in_pages() -> None:
    """All that changed since a moment are given, the oldest change first."""
    async with talking() as talk:
        written = [talk.github.add_comment(REPOSITORY, 1, "reporter", f"{n}") for n in range(3)]
        talk.clock.go(minutes=1)
        since = talk.clock.time
        for number in range(120):
            written.append(talk.github.add_comment(REPOSITORY, 1, "reporter", f"{number}"))
            talk.clock.go(seconds=1)
        talk.github.world.edit_comment(written[0], "changed")
        pages = [
            [one.comment.id for one in page]
            async for page in talk.client.comments(NAME, talk.installation_id).since(since)
        ]
        assert [len(page) for page in pages] == [100, 21]
        read = [one for page in pages for one in page]
        assert read == [*(one.id for one in written[3:]), written[0].id]
