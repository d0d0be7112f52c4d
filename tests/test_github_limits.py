"""How the bot behaves when GitHub says: not so fast."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bot.errors import GitHubRejected, GitHubUnavailable
from tests.fakes.github.talk import NAME, Talk, talking

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ISSUE = "*/issues/1"
COMMENTS = "*/issues/1/comments"


@pytest.fixture
async def talk() -> AsyncIterator[Talk]:
    """The bot's client, and the GitHub that it talks to."""
    async with talking() as connected:
        yield connected


async def test_429_is_waited_out_as_long_as_github_says(talk: Talk) -> None:
    """A limit did nothing: after it the same comment is written, once."""
    talk.github.fail_next("POST", COMMENTS, status=429, headers={"Retry-After": "17"})

    await talk.repository.comment(1, "hello")

    assert talk.clock.slept == [17]
    assert len(talk.github.comments(str(NAME), 1)) == 1


async def test_a_secondary_limit_without_headers_is_waited_out_longer_each_time(
    talk: Talk,
) -> None:
    """GitHub's advice: at least a minute, then exponentially longer."""
    body = {"message": "You have exceeded a secondary rate limit. Please wait a few minutes."}
    talk.github.fail_next("POST", COMMENTS, status=403, body=body, times=3)

    await talk.repository.comment(1, "hello")

    assert talk.clock.slept == [60, 120, 240]
    assert talk.sent("POST", "/comments") == [403, 403, 403, 201]


async def test_the_primary_limit_is_waited_out_until_it_is_reset(talk: Talk) -> None:
    """Once the hour's calls are used up, none is made before the next hour."""
    await talk.repository.issue(1)
    reset = str(int((talk.clock.now() + timedelta(minutes=10)).timestamp()))
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}
    talk.github.fail_next("GET", ISSUE, status=403, headers=headers)

    await talk.repository.issue(1)

    assert talk.clock.slept == [601]


async def test_a_limit_that_lasts_too_long_is_left_to_a_later_try(talk: Talk) -> None:
    """A step does not wait for most of an hour: it fails, and is retried; nobody asks meanwhile."""
    await talk.repository.issue(1)
    talk.github.exhaust_rate(talk.account)

    for _ in range(2):
        with pytest.raises(GitHubUnavailable):
            await talk.repository.issue(1)

    assert talk.clock.slept == []
    assert talk.sent("GET", "/{issue_number}") == [200, 403]


async def test_while_one_call_waits_the_others_of_its_account_do(talk: Talk) -> None:
    """GitHub bans who goes on asking during a limit; another account is not concerned."""
    talk.github.fail_next("GET", ISSUE, status=429, headers={"Retry-After": "3600"})
    with pytest.raises(GitHubUnavailable):
        await talk.repository.issue(1)

    with pytest.raises(GitHubUnavailable, match="rate limit"):
        await talk.repository.default_branch()
    await talk.client.app()

    assert talk.sent("GET", "/repos/{owner}/{repo}") == []


async def test_a_403_that_is_no_limit_is_final(talk: Talk) -> None:
    """A missing permission is not waited for."""
    talk.github.fail_next("GET", ISSUE, status=403, body={"message": "Repository locked"})

    with pytest.raises(GitHubRejected, match="Repository locked"):
        await talk.repository.issue(1)

    assert talk.clock.slept == []
