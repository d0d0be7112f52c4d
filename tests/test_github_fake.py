"""The fake GitHub is as strict as GitHub, speaks in its shapes, and is fit to be read by people."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import jwt
import pytest
from aiohttp import web
from pydantic import SecretStr

from bot.errors import GitHubNotFound, GitHubRejected, SignatureError
from bot.github import IssueCommentCreated, IssueCommentEdited, IssueLabeled, parse, verify
from tests.fakes.github import FakeGitHub
from tests.fakes.github.markdown import render
from tests.fakes.github.openapi import answer_problems, request_problems
from tests.fakes.github.server import WEBHOOK_SECRET
from tests.fakes.github.talk import REPOSITORY, Talk, talking

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

EXAMPLES = (
    Path(__file__).parent / "npm/node_modules/@octokit/webhooks-examples/api.github.com/index.json"
)
ISSUE = "/repos/{owner}/{repo}/issues/{issue_number}"


@pytest.fixture
async def talk() -> AsyncIterator[Talk]:
    """The bot's client, and the GitHub that it talks to."""
    async with talking() as connected:
        yield connected


@pytest.fixture
async def bot_url() -> AsyncIterator[str]:
    """A bot that takes every delivery, and says so."""

    async def take(request: web.Request) -> web.Response:
        body = await request.read()
        try:
            verify(WEBHOOK_SECRET, request.headers, body)
        except SignatureError as error:
            return web.Response(status=401, text=str(error))
        return web.Response(status=202, text=type(parse(_event(request), body)).__name__)

    app = web.Application()
    app.router.add_post("/webhook", take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield "http://{}:{}/webhook".format(*runner.addresses[0])
    await runner.cleanup()


def _event(request: web.Request) -> str:
    return request.headers["X-GitHub-Event"]


# Deliveries


async def test_what_people_do_is_delivered(talk: Talk, bot_url: str) -> None:
    """A comment, its edit and a label arrive signed, in the shape of GitHub's examples."""
    github = talk.github
    github.listen(bot_url)

    comment = await github.post_comment(REPOSITORY, 1, "maintainer", "/ptq investigate")
    await github.edit_comment(comment, "/ptq help", editor="writer")
    await github.add_label(REPOSITORY, 1, "ptq", by="triager")

    assert [(each.status, each.reply) for each in github.deliveries] == [
        (202, "IssueCommentCreated"),
        (202, "IssueCommentEdited"),
        (202, "IssueLabeled"),
    ]
    created, edited, labeled = [parse(each.event, each.body) for each in github.deliveries]
    assert isinstance(created, IssueCommentCreated)
    assert (created.comment.id, created.sender.login) == (comment.id, "maintainer")
    assert (created.installation_id, created.issue.number) == (talk.installation_id, 1)
    assert isinstance(edited, IssueCommentEdited)
    assert (edited.old_body, edited.comment.body) == ("/ptq investigate", "/ptq help")
    assert (edited.sender.login, edited.comment.author.login) == ("writer", "maintainer")
    assert isinstance(labeled, IssueLabeled)
    assert (labeled.label, labeled.sender.login) == ("ptq", "triager")


async def test_deliveries_have_githubs_shapes(talk: Talk) -> None:
    """Each part has exactly the keys that it has in one of GitHub's own examples."""
    comment = await talk.github.post_comment(REPOSITORY, 1, "maintainer", "hello")
    await talk.github.edit_comment(comment, "bye")
    await talk.github.add_label(REPOSITORY, 1, "ptq", by="maintainer")

    for delivery in talk.github.deliveries:
        examples = _examples(delivery.event)
        same = [each for each in examples if each["action"] == delivery.payload["action"]]
        # An App's deliveries name the installation; not every event's examples are an App's.
        assert set(delivery.payload) <= {"installation"}.union(*same)
        for part, value in delivery.payload.items():
            if isinstance(value, dict):
                assert _shape(value) in [_shape(each[part]) for each in examples if part in each]


def _examples(event: str) -> list[dict[str, Any]]:
    return [
        example
        for entry in json.loads(EXAMPLES.read_bytes())
        for example in entry["examples"]
        if entry["name"] == event
    ]


def _shape(value: Any) -> Any:  # noqa: ANN401 -- JSON holds anything
    """Return the keys of an object; of those within, too, but for what may be null or differs."""
    within = ("user", "owner", "reactions")
    return {key: sorted(value[key]) if key in within else None for key in value}


async def test_a_redelivery_keeps_its_guid(talk: Talk, bot_url: str) -> None:
    """GitHub sends the same event again under the same id."""
    talk.github.listen(bot_url)
    await talk.github.post_comment(REPOSITORY, 1, "maintainer", "hello")
    first = talk.github.deliveries[-1]

    again = await talk.github.redeliver(first.id)

    assert (again.guid, again.body, again.redelivery) == (first.guid, first.body, True)
    assert again.id != first.id


async def test_a_delivery_can_be_sent_wrongly(talk: Talk, bot_url: str) -> None:
    """Headers can be changed or left out, and the bot's refusal is recorded."""
    talk.github.listen(bot_url)

    sha1 = await talk.github.deliver("ping", {}, headers={"X-Hub-Signature-256": None})
    odd = await talk.github.deliver("ping", {}, headers={"X-Hub-Signature-256": "sha256=ü"})

    assert (sha1.status, odd.status) == (401, 401)
    assert sha1.headers["X-Hub-Signature"].startswith("sha1=")
    assert sha1.headers["User-Agent"].startswith("GitHub-Hookshot/")


async def test_a_bot_that_is_down_is_recorded(talk: Talk) -> None:
    """The delivery failed; GitHub does not try again by itself."""
    talk.github.listen("http://127.0.0.1:9/webhook")

    await talk.github.post_comment(REPOSITORY, 1, "maintainer", "hello")

    (delivery,) = talk.github.deliveries
    assert delivery.status is None


async def test_the_apps_own_comments_are_delivered_too(talk: Talk, bot_url: str) -> None:
    """GitHub tells an App what it wrote itself: a bot that answers itself would never end."""
    talk.github.listen(bot_url)

    await talk.repository.comment(1, "/ptq investigate")
    await talk.github.wait_for(lambda: any(each.status for each in talk.github.deliveries))

    event = parse("issue_comment", talk.github.deliveries[0].body)
    assert isinstance(event, IssueCommentCreated)
    assert (event.sender.is_person, event.comment.app_id) == (False, talk.github.app_id)


# What the bot does is seen


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


# Rights


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
        await _status(talk, f"/repos/{REPOSITORY}/issues/1/comments?perpage=3", text)


# Pages


async def test_people_can_read_a_thread_and_a_pull_request(talk: Talk) -> None:
    """The addresses in GitHub's answers lead to pages: the talk, who is a bot, the diff."""
    await talk.github.post_comment(REPOSITORY, 1, "maintainer", "/ptq investigate")
    comment = await talk.repository.comment(1, "**Found it.** See #1, @maintainer.")
    await talk.repository.react(talk.github.comments(REPOSITORY, 1)[0].id, "eyes")

    page = await _page(talk, comment.url)

    assert "<strong>Found it.</strong>" in page
    assert f'<a href="/{REPOSITORY}/issues/1">#1</a>' in page
    assert '<a class="mention">@maintainer</a>' in page
    assert '<span class="badge">bot</span>' in page
    assert "👀 1" in page
    assert REPOSITORY in await _page(talk, f"{talk.github.url}/")
    assert "It crashes" in await _page(talk, f"{talk.github.url}/{REPOSITORY}")
    bot_id = comment.author.id
    assert "<svg" in await _page(talk, f"{talk.github.url}/avatars/{bot_id}")


@pytest.mark.parametrize(
    "path", ["/nobody/nothing", f"/{REPOSITORY}/issues/99", f"/{REPOSITORY}/issues/x", "/avatars/1"]
)
async def test_a_page_that_is_not_there_is_not_found(talk: Talk, path: str) -> None:
    """Like GitHub's."""
    async with talk.session.get(talk.github.url + path) as answer:
        assert answer.status == 404


async def _page(talk: Talk, url: str) -> str:
    async with talk.session.get(url) as answer:
        assert answer.status == 200
        return await answer.text()


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ('<b onclick="x">hi</b>', "<p><b>hi</b></p>\n"),
        ("a <!-- hidden --> b", "<p>a  b</p>\n"),
        ("[x](javascript:alert(1))", "<p>[x](javascript:alert(1))</p>\n"),
        ("![x](https://x.example/a.png)", "<p>[x]</p>\n"),
        ("`@you #1`", "<p><code>@you #1</code></p>\n"),
        ("a@example.org", "<p>a@example.org</p>\n"),
        ("<details open>\n\n*x*\n\n</details>", "<details open>\n<p><em>x</em></p>\n</details>"),
        ("- [x] done", '<ul>\n<li><input type="checkbox" disabled checked> done</li>\n</ul>\n'),
        (
            "https://x.example/a?b=<i>",
            '<p><a href="https://x.example/a?b=">https://x.example/a?b=</a><i></p>\n',
        ),
        ("```py\n<x>\n```", "<pre><code>&lt;x&gt;\n</code></pre>\n"),
    ],
)
def test_comments_are_shown_as_safe_html(text: str, html: str) -> None:
    """Markdown is rendered; what could harm the reader is text or is gone."""
    assert render(text, repository_url="/o/r") == html


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
