"""A comment is posted once, whoever tries, and whenever they die."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from bot.errors import GitHubUnavailable
from bot.posting import Posting
from bot.render import Marker
from bot.store import Database, PostedComments, tables
from bot.sweeper.second_comments import SecondComments
from tests.fakes.github.talk import REPOSITORY, Talk, talking

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

MARKER = Marker("<!-- ptq:progress job=20260314-pytorch-1 run=1 -->")
TEXT = f"{MARKER}\nI am at work."
COMMENTS = "*/issues/*/comments"


class Thread:
    """The thread of issue 1, and two processes that post in it."""

    def __init__(self, talk: Talk, database: Database) -> None:
        self.talk = talk
        self.database = database
        self.comments = PostedComments(database)
        self.posting = Posting(talk.client, self.comments)

    async def post(self) -> int:
        """Post the comment; return its id."""
        return (await self.posting.once(self.talk.repository, 1, MARKER, TEXT)).id

    async def twice(self) -> int:
        """Post the comment after somebody else was about to, and died; return its id."""
        self.talk.github.faults.fail_next("POST", COMMENTS, status=502)
        with pytest.raises(GitHubUnavailable):
            await self.post()
        return await self.post()

    def arrives(self) -> int:
        """Let the other's request reach GitHub now; return the comment's id."""
        world = self.talk.github.world
        project = world.project(REPOSITORY)
        return world.add_comment(project, 1, author=world.app.bot, body=TEXT).id

    async def passes(self, time: timedelta) -> None:
        """Let time have passed since the comment was claimed."""
        table = tables.comments
        moment = datetime.now(UTC) - time

        def grow_old(connection: sa.Connection) -> None:
            row = connection.execute(sa.select(table)).one()
            look_at = row.look_at and row.look_at - (row.claimed_at - moment)
            values = {"claimed_at": moment, "first_claimed_at": moment, "look_at": look_at}
            connection.execute(table.update().values(values))

        await self.database.call(grow_old)

    async def sweeps(self) -> int:
        """Look again at what is contested; return how many comments were taken back."""
        return (await SecondComments(self.posting, self.comments).run())["taken_back"]

    async def next_look(self) -> timedelta | None:
        """Return how long after the claim the next look is due."""
        table = tables.comments
        row = await self.database.call(
            lambda connection: connection.execute(sa.select(table)).one()
        )
        return row.look_at and row.look_at - row.claimed_at

    @property
    def ours(self) -> list[int]:
        """The ids of the comments that begin with the marker and are ours."""
        comments = self.talk.github.comments(REPOSITORY, 1)
        return [each.id for each in comments if each.via_app and each.body.startswith(MARKER)]


@pytest.fixture
async def thread(database_url: str) -> AsyncIterator[Thread]:
    """A thread on GitHub, and the book of comments in a database of either kind."""
    database = await asyncio.to_thread(Database, database_url)
    await database.upgrade()
    async with talking() as talk:
        talk.clock.time = datetime.now(UTC)
        yield Thread(talk, database)
    await database.close()


async def test_a_step_that_runs_twice_posts_once(thread: Thread) -> None:
    """The second time the row says where it is."""
    assert await thread.post() == await thread.post() == thread.ours[0]
    assert len(thread.ours) == 1


async def test_an_answer_that_was_lost(thread: Thread) -> None:
    """GitHub made the comment, and the process never heard of it: the next try finds it."""
    thread.talk.github.faults.drop_next("POST", COMMENTS, done=True)
    with pytest.raises(GitHubUnavailable):
        await thread.post()
    assert await thread.post() == thread.ours[0]
    assert len(thread.ours) == 1


async def test_a_request_that_never_arrived(thread: Thread) -> None:
    """A row without its comment keeps nobody from posting it."""
    thread.talk.github.faults.fail_next("POST", COMMENTS, status=502)
    with pytest.raises(GitHubUnavailable):
        await thread.post()
    assert thread.ours == []
    assert await thread.post() == thread.ours[0]


async def test_two_processes_post_at_once(thread: Thread) -> None:
    """Both look first, both post, both look again: the older comment stays."""
    posted = await asyncio.gather(*(thread.post() for _ in range(4)))
    assert set(posted) == set(thread.ours)
    assert len(thread.ours) == 1


async def test_the_marker_alone_proves_nothing(thread: Thread) -> None:
    """People quote comments, and other Apps exist."""
    github = thread.talk.github
    thread.talk.github.faults.fail_next("POST", COMMENTS, status=502)
    with pytest.raises(GitHubUnavailable):
        await thread.post()
    github.add_comment(REPOSITORY, 1, "reporter", TEXT)
    github.add_comment(REPOSITORY, 1, "ptq", TEXT)
    for number in range(120):
        github.add_comment(REPOSITORY, 1, "reporter", f"comment {number}")
    assert await thread.post() == thread.ours[0]
    assert len(github.comments(REPOSITORY, 1)) == 123


async def test_a_request_that_arrives_when_nobody_looks_any_more(thread: Thread) -> None:
    """Its process died with it on the way: a sweep deletes what came of it."""
    posted = await thread.twice()
    assert await thread.sweeps() == 0
    thread.arrives()
    assert len(thread.ours) == 2
    await thread.passes(timedelta(minutes=1, seconds=1))
    assert await thread.sweeps() == 1
    assert thread.ours == [posted]


async def test_it_is_looked_for_ever_more_rarely(thread: Thread) -> None:
    """However late it arrives, within a day it is found; then nobody looks any more."""
    posted = await thread.twice()
    looks: list[timedelta] = []
    while (after := await thread.next_look()) is not None:
        looks.append(after)
        thread.arrives()
        await thread.passes(after + timedelta(seconds=1))
        assert await thread.sweeps() == 1
        assert thread.ours == [posted]
    minutes = [round(after / timedelta(minutes=1)) for after in looks]
    assert minutes[:3] == [1, 4, 16]
    assert len(minutes) == 7


async def test_what_one_has_posted_is_not_looked_for(thread: Thread) -> None:
    """Only a comment that a second one has claimed costs anything."""
    await thread.post()
    await thread.post()
    assert await thread.next_look() is None


async def test_the_comment_that_counted_is_gone(thread: Thread) -> None:
    """Of two processes that did not see each other's comment, one deleted the other's."""
    posted = await thread.twice()
    other = thread.arrives()
    await thread.talk.repository.delete_comment(posted)
    await thread.passes(timedelta(minutes=2))
    assert await thread.sweeps() == 0
    assert await thread.post() == other
    assert thread.ours == [other]


async def test_a_thread_that_is_gone_is_not_looked_at_again(thread: Thread) -> None:
    """GitHub refuses for good."""
    await thread.twice()
    await thread.passes(timedelta(minutes=2))
    thread.talk.github.faults.fail_next("GET", COMMENTS, status=410)
    assert await thread.sweeps() == 0
    assert await thread.next_look() is None
