"""How the bot behaves when GitHub limits, fails, is slow or talks nonsense."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from bot.errors import ConfigurationError, GitHubNotFound, GitHubRejected, GitHubUnavailable
from bot.github import GitHub
from bot.settings import GitHubSettings
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


# Tokens


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


# Rate limits


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


# Failures


async def test_a_read_that_fails_is_tried_again(talk: Talk) -> None:
    """GitHub's hiccups are not the maintainer's business."""
    talk.github.fail_next("GET", ISSUE, status=502, body=b"<html>Unicorn!</html>", times=2)
    talk.github.drop_next("GET", ISSUE, done=False)

    assert (await talk.repository.issue(1)).number == 1

    assert talk.sent("GET", "/{issue_number}") == [502, 502, None, 200]
    assert all(seconds <= 8 for seconds in talk.clock.slept)


async def test_a_read_is_given_up_after_five_tries(talk: Talk) -> None:
    """A GitHub that is down is reported as unavailable, which a later try may mend."""
    talk.github.fail_next("GET", ISSUE, status=503, times=99)

    with pytest.raises(GitHubUnavailable) as caught:
        await talk.repository.issue(1)

    assert caught.value.status == 503
    assert talk.sent("GET", "/{issue_number}") == [503] * 5


@pytest.mark.parametrize("done", [True, False])
async def test_a_comment_whose_fate_is_unknown_is_not_written_again(
    talk: Talk, *, done: bool
) -> None:
    """A lost answer may hide a written comment: nobody is told the same thing twice."""
    talk.github.fail_next("POST", COMMENTS, status=502, done=done)
    with pytest.raises(GitHubUnavailable):
        await talk.repository.comment(1, "hello")

    talk.github.drop_next("POST", COMMENTS, done=done)
    with pytest.raises(GitHubUnavailable):
        await talk.repository.comment(1, "hello")

    assert talk.sent("POST", "/comments") == [502, None]
    assert len(talk.github.comments(str(NAME), 1)) == (2 if done else 0)


async def test_what_is_the_same_when_made_twice_is_tried_again(talk: Talk) -> None:
    """Edits, reactions and git objects outlive a lost answer."""
    comment = await talk.repository.comment(1, "hello")
    for pattern in ("*/issues/comments/*", "*/reactions", "*/git/blobs"):
        talk.github.drop_next("*", pattern, done=True)

    await talk.repository.edit_comment(comment.id, "bye")
    talk.github.drop_next("POST", "*/reactions", done=True)
    await talk.repository.react(comment.id, "eyes")
    await talk.publishing.create_blob(b"x")

    (seen,) = talk.github.comments(str(NAME), 1)
    assert seen.body == "bye"
    assert len(seen.reactions) == 1


async def test_an_answer_that_does_not_come_is_not_waited_for() -> None:
    """Every call has a time limit, after which a comment is not written again."""
    async with talking(timeout=timedelta(milliseconds=200)) as talk:
        await talk.repository.issue(1)
        talk.github.hold_next("POST", COMMENTS)

        with pytest.raises(GitHubUnavailable):
            await talk.repository.comment(1, "hello")


async def test_a_server_that_is_not_there_is_asked_again_even_to_write(talk: Talk) -> None:
    """No connection, nothing sent: the comment is tried five times, then it is a later step's."""
    await talk.repository.issue(1)
    settings = talk.github.settings(api_url="http://127.0.0.1:9/api/v3")
    client = GitHub(settings, talk.session, sleep=talk.clock.sleep, clock=talk.clock.now)

    with pytest.raises(GitHubUnavailable) as caught:
        await client.repository(NAME, talk.installation_id).comment(1, "hello")

    assert caught.value.status is None
    assert len(talk.clock.slept) == 4


# Answers


async def test_not_found_is_told_apart(talk: Talk) -> None:
    """What does not exist, or is not ours to see, is GitHubNotFound."""
    with pytest.raises(GitHubNotFound) as caught:
        await talk.repository.issue(404)

    assert caught.value.status == 404


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"message": "Validation Failed", "errors": ["body is too long"]}, "body is too long"),
        ({"message": "No", "errors": [{"field": "head", "code": "invalid"}]}, "head invalid"),
        ({"message": "Odd", "errors": "text"}, "Odd; text"),
        ({"message": None, "errors": [None, 3]}, "None; None; 3"),
        ([1], "no reason given"),
        (b"<html>", "no reason given"),
        (b"[" * 100_000, "no reason given"),
        (b"\xff\xfe", "no reason given"),
    ],
)
async def test_a_422_is_final_and_explained(talk: Talk, body: object, told: str) -> None:
    """Whatever a rejection's body looks like, it is an error of ours with what it says."""
    talk.github.fail_next("POST", COMMENTS, status=422, body=body, times=9)

    with pytest.raises(GitHubRejected) as caught:
        await talk.repository.comment(1, "hello")

    assert told in str(caught.value)
    assert talk.sent("POST", "/comments") == [422]


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"<html>Sign in</html>", {"Content-Type": "text/html"}),
        (b"{", {"Content-Type": "application/json"}),
        (b"[" * 100_000, {"Content-Type": "application/json"}),
        (b"\xff", {"Content-Type": "application/json"}),
        (b"{}", {"Content-Type": "application/json; charset=klingon"}),
        (b"[]", {"Content-Type": "application/json"}),
        (b"{}", {"Content-Type": "application/json"}),
        (b'{"number": "x"}', {"Content-Type": "application/json"}),
        (b"", {}),
        (b'{"user": {}}', {"Content-Type": "application/json", "X-RateLimit-Limit": "many"}),
    ],
)
async def test_an_answer_that_is_no_answer_is_an_error_of_github(
    talk: Talk, body: bytes, headers: dict[str, str]
) -> None:
    """A proxy's page, half a body or another object never passes for an issue."""
    talk.github.fail_next("GET", ISSUE, status=200, body=body, headers=headers, times=9)

    with pytest.raises(GitHubUnavailable):
        await talk.repository.issue(1)


async def test_odd_rate_limit_headers_do_not_matter(talk: Talk) -> None:
    """A good answer with headers that a proxy has garbled is a good answer."""
    headers = {"X-RateLimit-Limit": "-", "X-RateLimit-Remaining": "", "X-RateLimit-Reset": "∞"}
    body = {"message": "x", "sha": "1", "tree": {"sha": "2"}}
    talk.github.fail_next("GET", "*/git/commits/1", status=200, body=body, headers=headers)

    assert (await talk.repository.commit("1")).tree == "2"


async def test_a_write_to_a_repository_that_has_moved_is_an_error(talk: Talk) -> None:
    """A redirected POST would arrive as a GET, so it is not followed."""
    headers = {"Location": f"{talk.github.api_url}/repositories/1/issues/1/comments"}
    talk.github.fail_next("POST", COMMENTS, status=301, headers=headers)

    with pytest.raises(GitHubRejected) as caught:
        await talk.repository.comment(1, "hello")

    assert caught.value.status == 301


async def test_the_next_page_is_never_fetched_from_elsewhere(talk: Talk) -> None:
    """Our token goes to GitHub only, whatever a Link header says."""
    headers = {"Link": '<https://elsewhere.example/2>; rel="next"'}
    talk.github.fail_next("GET", COMMENTS, status=200, body=[], headers=headers)

    with pytest.raises(GitHubUnavailable, match="elsewhere"):
        await talk.repository.comments(1)


async def test_what_is_logged_holds_no_token(
    talk: Talk, capsys: pytest.CaptureFixture[str]
) -> None:
    """Tokens and texts stay out of the log and out of errors."""
    talk.github.fail_next("GET", ISSUE, status=502)
    talk.github.fail_next("POST", COMMENTS, status=422)
    await talk.repository.issue(1)
    with pytest.raises(GitHubRejected) as caught:
        await talk.repository.comment(1, "the text")

    logged = capsys.readouterr().out + str(caught.value)
    assert "github_retried" in logged
    assert "ghs_" not in logged
    assert "the text" not in logged
