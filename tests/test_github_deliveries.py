"""The fake GitHub delivers what happens, in GitHub's shapes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web

from bot.errors import SignatureError
from bot.github import IssueCommentCreated, IssueCommentEdited, IssueLabeled, parse, verify
from tests.fakes.github.server import WEBHOOK_SECRET
from tests.fakes.github.talk import REPOSITORY, Talk, talking

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

EXAMPLES = (
    Path(__file__).parent / "npm/node_modules/@octokit/webhooks-examples/api.github.com/index.json"
)


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
