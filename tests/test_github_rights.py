"""The fake GitHub is as strict about rights as GitHub."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jwt
import pytest

from bot.errors import GitHubNotFound, GitHubRejected
from tests.fakes.github.openapi import answer_problems
from tests.fakes.github.talk import REPOSITORY, Talk, talking

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
async def talk() -> AsyncIterator[Talk]:
    """The bot's client, and the GitHub that it talks to."""
    async with talking() as connected:
        yield connected


@pytest.mark.parametrize(
    ("claims", "status"),
    [
        ({"iss": "1"}, 404),
        ({"iat": +120}, 401),
        ({"exp": -1}, 401),
        ({"exp": 700}, 401),
        ({"exp": None}, 401),
    ],
)
async def test_a_jwt_is_checked_as_github_does(
    talk: Talk, claims: dict[str, Any], status: int
) -> None:
    """Its issuer, its beginning and its end, which is ten minutes from now at most."""
    now = int(talk.clock.now().timestamp())
    chosen = {"iat": -60, "exp": 540} | claims
    stated: dict[str, Any] = {"iss": str(talk.github.app_id)}
    for name, value in chosen.items():
        stated[name] = now + value if isinstance(value, int) else value
    text = jwt.encode(stated, talk.github.settings().key, algorithm="RS256")

    assert await _status(talk, "/app", text) == status


async def test_a_jwt_of_another_key_is_refused(talk: Talk) -> None:
    """The signature is checked, not only the claims."""
    now = int(talk.clock.now().timestamp())
    stated = {"iss": str(talk.github.app_id), "iat": now - 60, "exp": now + 60}

    assert await _status(talk, "/app", jwt.encode(stated, "secret" * 9, algorithm="HS256")) == 401
    assert await _status(talk, "/app", "nonsense") == 401
    assert await _status(talk, "/app", "") == 401


async def test_a_token_ends_after_an_hour(talk: Talk) -> None:
    """And is good for its repository only."""
    await talk.github.add_repository("pytorch/vision")
    await talk.repository.issue(1)
    (text,) = talk.github.world.app.tokens

    assert await _status(talk, f"/repos/{REPOSITORY}/issues/1", text) == 200
    assert await _status(talk, "/repos/pytorch/vision", text) == 404
    talk.clock.go(hours=1)
    assert await _status(talk, f"/repos/{REPOSITORY}/issues/1", text) == 401


async def _status(talk: Talk, path: str, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    async with talk.session.get(talk.github.api_url + path, headers=headers) as answer:
        return answer.status


async def test_a_token_does_only_what_it_was_minted_for(talk: Talk) -> None:
    """Each token writes in its own domain and nowhere else."""
    with pytest.raises(GitHubRejected, match="not accessible by integration"):
        await talk.repository.create_branch("x", "0" * 40)
    with pytest.raises(GitHubRejected, match="not accessible by integration"):
        await talk.repository.create_pull("t", "", head="x", base="main")

    accepted = [request.status for request in talk.github.requests]
    assert accepted == [201, 403, 403]


async def test_a_token_cannot_have_more_than_the_installation(talk: Talk) -> None:
    """What the owner did not grant is refused when the token is asked for."""
    talk.github.world.app.installations[talk.installation_id].permissions = {"issues": "write"}

    with pytest.raises(GitHubRejected, match="not granted to this installation"):
        await talk.repository.issue(1)


async def test_a_repository_of_another_owner_is_out_of_reach(talk: Talk) -> None:
    """A token is asked for by repository, and the installation must reach it."""
    other = await talk.github.add_repository("other/thing")
    assert other.installation_id != talk.installation_id

    with pytest.raises(GitHubNotFound):
        await talk.client.repository(talk.repository.name, 1).issue(1)


async def test_the_rate_is_told_and_kept(talk: Talk) -> None:
    """Every answer tells what is left; asking for it costs nothing."""
    await talk.repository.issue(1)
    (text,) = talk.github.world.app.tokens
    url, headers = f"{talk.github.api_url}/rate_limit", {"Authorization": f"Bearer {text}"}
    await (await talk.session.get(url, headers=headers)).read()
    async with talk.session.get(url, headers=headers) as answer:
        body = await answer.json()

    assert body["rate"]["remaining"] == 4999
    problems = answer_problems("GET", "/rate_limit", status=200, body=body)
    assert problems == []
