"""The fake GitHub can be watched, is held to GitHub's description, and ends cleanly."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import aiohttp
import pytest
from pydantic import SecretStr

from tests.fakes.github import FakeGitHub
from tests.fakes.github.openapi import answer_problems, request_problems
from tests.fakes.github.server import WEBHOOK_SECRET
from tests.fakes.github.talk import REPOSITORY, Talk, talking

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ISSUE = "/repos/{owner}/{repo}/issues/{issue_number}"


@pytest.fixture
async def talk() -> AsyncIterator[Talk]:
    """The bot's client, and the GitHub that it talks to."""
    async with talking() as connected:
        yield connected


async def test_changes_are_told_one_by_one(talk: Talk) -> None:
    """A test reads what the App did, in order, as it was at that moment."""
    comment = await talk.repository.comment(1, "Working.")
    await talk.repository.edit_comment(comment.id, "Done.")
    await talk.repository.react_to_issue(1, "eyes")
    await talk.repository.remove_label(1, "bug")

    changes = [talk.github.events.get_nowait() for _ in range(4)]

    assert [(change.kind, change.text, change.number) for change in changes] == [
        ("comment", "Working.", 1),
        ("comment_edited", "Done.", 1),
        ("issue_reaction", "eyes", 1),
        ("label_removed", "bug", 1),
    ]
    assert changes[0].id == changes[1].id == comment.id


async def test_a_test_can_wait_for_what_happens(talk: Talk) -> None:
    """Without sleeping: whatever is written wakes who waits."""
    waiting = asyncio.create_task(
        talk.github.wait_for(lambda: bool(talk.github.comments(REPOSITORY, 1)))
    )

    await talk.repository.comment(1, "hello")
    await waiting

    with pytest.raises(TimeoutError):
        await talk.github.wait_for(lambda: False, seconds=0.01)


# GitHub's description


def test_a_wrong_answer_is_noticed() -> None:
    """The check can fail: a missing field, a wrong type, an unknown status."""
    label = {"id": 1, "node_id": "x", "url": "https://x.example", "name": "n", "default": False}
    route = f"{ISSUE}/labels/{{name}}"

    assert answer_problems("DELETE", route, status=200, body=[]) == []
    assert "'color' is a required property" in str(
        answer_problems("DELETE", route, status=200, body=[label])
    )
    assert "is not of type" in str(answer_problems("DELETE", route, status=200, body={}))
    assert "not described" in str(answer_problems("DELETE", route, status=202, body=[]))
    assert "no such call" in str(answer_problems("GET", "/nowhere", status=200, body=None))


def test_a_wrong_request_is_noticed() -> None:
    """A missing, misspelt or wrong field, or a query parameter that GitHub does not know."""
    route = f"{ISSUE}/comments"

    assert request_problems("POST", route, query={}, body={"body": "x"}) == []
    assert "required property" in str(request_problems("POST", route, query={}, body={}))
    assert "unknown key bdoy" in str(
        request_problems("POST", route, query={}, body={"body": "x", "bdoy": "y"})
    )
    assert "not of type" in str(request_problems("POST", route, query={}, body={"body": 3}))
    assert "unknown query parameter perpage" in str(
        request_problems("GET", route, query={"perpage": "3"}, body=None)
    )


async def test_a_call_that_github_would_not_understand_fails_the_test() -> None:
    """Leaving the fake raises what was wrong."""
    with pytest.raises(AssertionError, match="unknown query parameter perpage"):
        await _misspell()


async def _misspell() -> None:
    async with talking() as talk:
        await talk.repository.issue(1)
        (text,) = talk.github.world.app.tokens
        url = f"{talk.github.api_url}/repos/{REPOSITORY}/issues/1/comments?perpage=3"
        headers = {"Authorization": f"Bearer {text}"}
        async with talk.session.get(url, headers=headers) as answer:
            await answer.read()


# The whole


async def test_a_copy_of_a_local_repository_is_served(talk: Talk) -> None:
    """The demo serves a real repository's branches and commits."""
    origin = talk.github.world.project(REPOSITORY).git
    async with FakeGitHub() as github:
        project = await github.add_repository("pytorch/copy", source=origin.directory)

        assert project.default_branch == "main"
        assert await project.git.branches() == await origin.branches()
        assert await project.git.file("main", "torch/nn.py") == "x = 1\n"


async def test_settings_carry_everything_that_the_bot_needs(talk: Talk) -> None:
    """A bot with these settings is at home on this GitHub."""
    settings = talk.github.settings()

    assert settings.serves(REPOSITORY)
    assert settings.webhook_secret == SecretStr(WEBHOOK_SECRET)
    assert settings.api_url == talk.github.api_url


async def test_what_is_held_is_let_go_at_the_end() -> None:
    """A slow answer does not keep the server from stopping."""
    async with aiohttp.ClientSession() as session:
        async with FakeGitHub() as github:
            github.hold_next("GET", "/app")
            waiting = asyncio.create_task(_get(session, f"{github.api_url}/app"))
            await _get(session, f"{github.url}/")
        assert await waiting in {401, None}


async def _get(session: aiohttp.ClientSession, url: str) -> int | None:
    try:
        async with session.get(url) as answer:
            return answer.status
    except aiohttp.ClientError:
        return None
