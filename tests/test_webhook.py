"""The door: what is taken, and what is turned away with a reason."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from inline_snapshot import snapshot

if TYPE_CHECKING:
    from tests.harness import Bot

EXAMPLES = Path(__file__).parent / "npm/node_modules/@octokit/webhooks-examples"
PING = {"zen": "Design for failure.", "hook_id": 1}


async def test_every_example_of_github_is_accepted(bot: Bot) -> None:
    """Every payload that GitHub publishes is taken, and none of them starts anything."""
    text = (EXAMPLES / "api.github.com/index.json").read_text()
    examples: list[dict[str, Any]] = json.loads(text)
    count = 0
    for event in examples:
        for payload in event["examples"]:
            delivery = await bot.github.deliver(event["name"], payload)
            assert (delivery.status, delivery.reply) == (202, '{"receipt": "ignored"}')
            count += 1
    assert count > 300
    assert await bot.service.jobs.unfinished() == []


@pytest.mark.parametrize(
    ("headers", "body", "answer"),
    [
        (
            {"X-Hub-Signature-256": None},
            PING,
            snapshot(
                (
                    401,
                    '{"error": "the delivery has no X-Hub-Signature-256 header of the form sha256=\\u2026"}',
                )
            ),
        ),
        (
            {"X-Hub-Signature-256": "sha256=" + "0" * 64},
            PING,
            snapshot((401, '{"error": "the delivery is not signed with our webhook secret"}')),
        ),
        (
            {"X-Hub-Signature-256": "sha256=é"},
            PING,
            snapshot((401, '{"error": "the delivery is not signed with our webhook secret"}')),
        ),
        (
            {"Content-Type": "application/x-www-form-urlencoded"},
            PING,
            snapshot((415, '{"error": "set the webhook\'s content type to application/json"}')),
        ),
        (
            {"X-GitHub-Delivery": None},
            PING,
            snapshot((400, '{"error": "the header X-GitHub-Delivery is missing or wrong"}')),
        ),
        (
            {"X-GitHub-Event": None},
            PING,
            snapshot((400, '{"error": "the header X-GitHub-Event is missing or wrong"}')),
        ),
        (
            {"X-GitHub-Delivery": "../../etc"},
            PING,
            snapshot((400, '{"error": "the header X-GitHub-Delivery is missing or wrong"}')),
        ),
        ({}, b"{", snapshot((400, '{"error": "the payload is not JSON"}'))),
        ({}, b"[1, 2]", snapshot((400, '{"error": "the payload is not a JSON object"}'))),
        ({}, b"\xff", snapshot((400, '{"error": "the payload is not JSON"}'))),
    ],
    ids=[
        *("no signature", "another signature", "no ASCII", "form", "no id", "no event", "path"),
        *("cut off", "no object", "no text"),
    ],
)
async def test_what_is_not_taken(
    bot: Bot, headers: dict[str, str | None], body: dict[str, Any] | bytes, answer: tuple[int, str]
) -> None:
    """The answer is 4xx with a reason, and nothing is stored."""
    guid = headers.get("X-GitHub-Delivery") or "11111111-2222-3333-4444-555555555555"
    delivery = await bot.github.deliver("ping", body, guid=guid, headers=headers)
    assert (delivery.status, delivery.reply) == answer
    taken = await bot.github.deliver("ping", PING, guid="11111111-2222-3333-4444-555555555555")
    assert (taken.status, taken.reply) == (202, '{"receipt": "ignored"}')


async def test_a_payload_without_what_is_documented(bot: Bot) -> None:
    """An event that we use, in a shape that GitHub does not send, is named."""
    delivery = await bot.github.deliver("issue_comment", {"action": "created"})
    assert (delivery.status, delivery.reply) == snapshot(
        (400, '{"error": "the payload lacks or garbles: comment, issue, repository, sender"}')
    )


async def test_the_body_has_a_limit(bot: Bot) -> None:
    """Payloads are up to 25 MB; more is not read."""
    large = await bot.github.deliver("push", {"padding": "x" * (24 * 1024 * 1024)})
    assert large.status == 202
    larger = await bot.github.deliver("push", {"padding": "x" * (26 * 1024 * 1024)})
    assert (larger.status, larger.reply) == snapshot(
        (413, '{"error": "the body is over 26214400 bytes"}')
    )


async def test_a_compressed_body_has_the_same_limit(bot: Bot) -> None:
    """A small body that would grow is no way around it."""
    bomb = gzip.compress(b" " * (200 * 1024 * 1024))
    delivery = await bot.github.deliver("ping", bomb, headers={"Content-Encoding": "gzip"})
    assert delivery.status is not None
    assert 400 <= delivery.status < 500


async def test_other_methods_and_paths(bot: Bot) -> None:
    """There is nothing else to see."""
    async with bot.http() as session:
        assert (await session.get(f"{bot.service.url}/webhook")).status == 405
        assert (await session.post(f"{bot.service.url}/")).status == 404


async def test_alive_and_ready(bot: Bot) -> None:
    """Whoever runs the service can ask it how it is."""
    async with bot.http() as session:
        alive = await session.get(f"{bot.service.url}/healthz")
        assert (alive.status, await alive.json()) == (200, {"alive": True})
        ready = await session.get(f"{bot.service.url}/readyz")
        assert (ready.status, await ready.json()) == (200, {"database": True, "engine": True})
