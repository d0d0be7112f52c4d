"""Deliveries that failed are made again, and count once."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from bot.errors import GitHubNotFound
from bot.sweeper.redelivering import MAX_TRIES
from tests import scenes
from tests.fakes.github.talk import REPOSITORY, talking

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from tests.harness import Bot

NOBODY = "http://127.0.0.1:9/webhook"
ROUTE = "/app/hook/deliveries"


@asynccontextmanager
async def broken_proxy(bot: Bot) -> AsyncGenerator[None]:
    """Answer deliveries with 500, in front of a service that runs."""

    async def fail(_request: web.Request) -> web.Response:
        return web.Response(status=500)

    app = web.Application()
    app.router.add_post("/webhook", fail)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    before = bot.github.hook.url
    bot.github.hook.url = "http://{}:{}/webhook".format(*runner.addresses[0])
    yield
    bot.github.hook.url = before
    await runner.cleanup()


def often(bot: Bot, *, seconds: float = 0.05) -> None:
    """Look for failed deliveries again and again."""
    schedule = bot.settings.schedule.model_copy(update={"deliveries": timedelta(seconds=seconds)})
    bot.settings = bot.settings.model_copy(update={"schedule": schedule})


def looked(bot: Bot) -> int:
    """How often failed deliveries were listed."""
    return sum(one.route == ROUTE for one in bot.github.requests)


async def looked_again(bot: Bot, *, times: int = 2) -> None:
    """Wait until a whole pass has begun and ended from now on."""
    before = looked(bot)
    await bot.github.wait_for(lambda: looked(bot) >= before + times)


async def test_a_comment_while_the_service_is_down(world: Bot) -> None:
    """The next start has the failed delivery made again, and it is handled as if it had come."""
    world.agent_does(scenes.not_reproduced())
    world.github.listen(NOBODY)
    await world.comment("/ptq investigate")
    assert world.github.deliveries[-1].shape()["status_code"] == 502
    async with world.serving():
        assert "waiting for a machine" in await world.next_text()
        assert "I ran the repro myself" in await world.next_text()
        await world.job()
    first, again = [
        one for one in world.github.deliveries if one.payload["sender"]["type"] == "User"
    ]
    assert (again.guid, again.redelivery, again.status) == (first.guid, True, 202)
    assert len(world.comments()) == 2


async def test_a_label_while_the_service_is_down(world: Bot) -> None:
    """Nothing but the failed delivery tells of a label that is a command."""
    world.agent_does(scenes.not_reproduced())
    world.github.listen(NOBODY)
    await world.github.add_label(REPOSITORY, world.issue.number, "ptq", by="maintainer")
    async with world.serving():
        assert "waiting for a machine" in await world.next_text()
        assert "I ran the repro myself" in await world.next_text()
        await world.job()


async def test_the_webhook_answers_500(world: Bot) -> None:
    """A proxy that fails for a while loses nothing, and what came again is not asked for again."""
    often(world)
    async with world.serving():
        async with broken_proxy(world):
            asked = await world.comment("/ptq help")
            assert world.github.deliveries[-1].status == 500
        assert "/ptq investigate" in await world.next_text()
        await world.handled()
        await looked_again(world)
        sent = len(world.github.deliveries)
        await looked_again(world)
        assert len(world.github.deliveries) == sent
    assert world.reactions(asked) == ["eyes"]


async def test_a_delivery_that_fails_for_ever(world: Bot) -> None:
    """It is made again a few times, with longer and longer pauses, and then no more."""
    often(world, seconds=0.001)
    async with world.serving(), broken_proxy(world):
        await world.comment("/ptq help")
        await world.github.wait_for(lambda: len(world.github.deliveries) == 1 + MAX_TRIES)
        await looked_again(world, times=20)
    assert len(world.github.deliveries) == 1 + MAX_TRIES


async def test_github_does_not_list_them(world: Bot) -> None:
    """A pass that fails is logged, and the next one does its work."""
    often(world)
    world.github.listen(NOBODY)
    await world.comment("/ptq help")
    world.github.fail_next("GET", ROUTE, status=404)
    async with world.serving():
        assert "/ptq investigate" in await world.next_text()


async def test_what_means_nothing_is_not_asked_for(world: Bot) -> None:
    """Events that we do not use may fail."""
    world.github.listen(NOBODY)
    await world.github.deliver("ping", {"zen": "Keep it logically awesome."})
    async with world.serving():
        await world.github.wait_for(lambda: looked(world) > 0)
    assert len(world.github.deliveries) == 1


async def test_failed_deliveries_come_in_pages() -> None:
    """All that failed since a moment are listed, newest first; good ones are not."""
    async with talking() as talk:
        talk.github.listen(NOBODY)
        for _ in range(120):
            await talk.github.deliver("ping", {})
            talk.clock.go(seconds=1)
        sent = [one.id for one in reversed(talk.github.deliveries)]
        since = talk.clock.time - timedelta(seconds=110)
        assert [one.id for one in await talk.client.hook.failed_since(since)] == sent[:110]
        long_ago = datetime(2020, 1, 1, tzinfo=UTC)
        assert [one.id for one in await talk.client.hook.failed_since(long_ago)] == sent


async def test_a_delivery_that_github_has_forgotten() -> None:
    """After three days it can not be made again."""
    async with talking() as talk:
        talk.github.listen(NOBODY)
        old = await talk.github.deliver("ping", {})
        talk.clock.go(days=4)
        with pytest.raises(GitHubNotFound):
            await talk.client.hook.redeliver(old.id)
