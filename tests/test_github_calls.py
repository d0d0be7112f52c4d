"""How the bot behaves when GitHub fails, is slow or talks nonsense."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bot.errors import GitHubNotFound, GitHubRejected, GitHubUnavailable
from bot.github import GitHub
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
