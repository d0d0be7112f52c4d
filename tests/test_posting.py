"""A comment is posted once, whoever tries, and whenever they die."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from bot.errors import GitHubUnavailable
from bot.posting import Posting
from bot.render import Marker
from bot.store import Database, PostedComments
from tests.fakes.github.talk import REPOSITORY, Talk, talking

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

MARKER = Marker("<!-- ptq:progress job=20260314-pytorch-1 run=1 -->")
TEXT = f"{MARKER}\nI am at work."
COMMENTS = "*/issues/*/comments"


class Thread:
    """The thread of issue 1, and two processes that post in it."""

    def __init__(self, talk: Talk, comments: PostedComments) -> None:
        self.talk = talk
        self.posting = Posting(talk.client, comments)

    async def post(self) -> int:
        """Post the comment; return its id."""
        return (await self.posting.once(self.talk.repository, 1, MARKER, TEXT)).id

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
        yield Thread(talk, PostedComments(database))
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
