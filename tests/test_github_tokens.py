"""How the bot proves to GitHub who it is."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from bot.errors import ConfigurationError, GitHubRejected
from bot.github import GitHub
from bot.settings import GitHubSettings
from tests.fakes.github.talk import NAME, Talk, talking

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ISSUE = "*/issues/1"


@pytest.fixture
async def talk() -> AsyncIterator[Talk]:
    """The bot's client, and the GitHub that it talks to."""
    async with talking() as connected:
        yield connected


async def test_the_app_is_asked_who_it_is_once(talk: Talk) -> None:
    """The App's identity comes by a JWT that GitHub takes, and is kept."""
    app = await talk.client.app()

    assert (await talk.client.app()) is app
    assert (app.id, app.slug, app.login) == (talk.github.app_id, "ptq", "ptq[bot]")
    assert [request.account for request in talk.github.requests] == ["app"]


async def test_a_jwt_serves_until_it_is_close_to_its_end(talk: Talk) -> None:
    """Calls as the App go on for hours: the JWT is signed anew in time."""
    for _ in range(12):
        assert await talk.client.installation_id(NAME) == talk.installation_id
        talk.clock.go(minutes=3, seconds=30)

    assert set(talk.sent("GET", "/installation")) == {200}


async def test_an_installation_token_is_minted_once(talk: Talk) -> None:
    """Many calls at once, one token, for one repository and no more rights than needed."""
    await asyncio.gather(*(talk.repository.issue(1) for _ in range(5)))

    (minted,) = [request for request in talk.github.requests if request.method == "POST"]
    assert minted.account == "app"
    assert minted.body == {
        "repositories": ["pytorch"],
        "permissions": {
            "contents": "read",
            "issues": "write",
            "metadata": "read",
            "pull_requests": "read",
        },
    }


async def test_the_token_of_a_publication_can_do_nothing_else(talk: Talk) -> None:
    """Branch and pull request need a token of their own, which cannot write in a thread."""
    await talk.publishing.create_blob(b"")

    minted = talk.github.requests[0]
    assert minted.body["permissions"] == {"contents": "write", "pull_requests": "write"}
    with pytest.raises(GitHubRejected, match="Resource not accessible by integration"):
        await talk.repository.create_blob(b"")


async def test_two_repositories_of_one_kind_share_their_token(talk: Talk) -> None:
    """A repository may be made for each job: it is the same token."""
    await talk.repository.issue(1)
    await talk.client.repository(NAME, talk.installation_id).issue(1)

    assert talk.sent("POST", "/access_tokens") == [201]


async def test_a_token_is_renewed_before_it_ends(talk: Talk) -> None:
    """No call is ever made with a token that could end on the way."""
    await talk.repository.issue(1)
    talk.clock.go(minutes=54)
    await talk.repository.issue(1)
    assert talk.sent("POST", "/access_tokens") == [201]

    talk.clock.go(minutes=1)
    await talk.repository.issue(1)

    assert talk.sent("POST", "/access_tokens") == [201, 201]
    assert talk.sent("GET", "/{issue_number}") == [200, 200, 200]


async def test_a_token_that_was_revoked_is_renewed_and_the_call_made_again(talk: Talk) -> None:
    """A 401 costs one new token and nothing else, even for a comment."""
    await talk.repository.issue(1)
    talk.github.expire_tokens()

    await talk.repository.comment(1, "hello")

    assert talk.sent("POST", "/comments") == [401, 201]
    assert talk.sent("POST", "/access_tokens") == [201, 201]
    assert [comment.body for comment in talk.github.comments(str(NAME), 1)] == ["hello"]


async def test_a_second_401_is_final(talk: Talk) -> None:
    """A token that is refused when fresh is no accident."""
    talk.github.fail_next("GET", ISSUE, status=401, times=9)

    with pytest.raises(GitHubRejected) as caught:
        await talk.repository.issue(1)

    assert caught.value.status == 401
    assert talk.sent("GET", "/{issue_number}") == [401, 401]


async def test_a_refused_jwt_is_final(talk: Talk) -> None:
    """The wrong key is the operator's to mend: it is not tried again."""
    talk.github.fail_next("GET", "/app", status=401, times=9)

    with pytest.raises(GitHubRejected):
        await talk.client.app()

    assert talk.sent("GET", "/app") == [401]


@pytest.mark.parametrize(
    ("settings", "setting"),
    [
        (GitHubSettings(private_key=SecretStr("x")), "PTQ_GITHUB__APP_ID"),
        (GitHubSettings(app_id=1), "PTQ_GITHUB__PRIVATE_KEY"),
        (GitHubSettings(app_id=1, private_key=SecretStr("x")), "PTQ_GITHUB__PRIVATE_KEY"),
    ],
)
async def test_a_wrong_setting_is_named(talk: Talk, settings: GitHubSettings, setting: str) -> None:
    """Whoever set the App up wrongly reads which setting it is."""
    with pytest.raises(ConfigurationError, match=setting):
        await GitHub(settings, talk.session).app()
