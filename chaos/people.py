"""The people: they ask, now and then twice, and GitHub delivers what they wrote as it can."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from chaos import scenarios
from chaos.evidence import INVESTIGATE, KILL
from chaos.world import ASKING
from demo import story

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from random import Random

    from chaos.world import World
    from tests.fakes.github import Comment, Issue

_WAYS = {
    "once": 5,
    "delivered twice": 2,
    "under two deliveries": 2,
    "two comments": 3,
    "not delivered": 1,
    "asked again": 2,
    "stopped": 2,
}
"""How a wish is told, and how often."""
_LONGEST_BEFORE_STOPPING = 15.0
"""Seconds."""


class People:
    """Those who ask."""

    def __init__(self, world: World, random: Random) -> None:
        """Ask nothing yet."""
        self._world = world
        self._random = random
        self._asking: set[asyncio.Task[None]] = set()
        self.wishes = 0
        """How often somebody wanted something."""

    def ask(self) -> None:
        """Have somebody ask for something; nobody waits for what comes of it."""
        self.wishes += 1
        self._do(self._ask())

    async def done(self) -> None:
        """Wait until GitHub has tried to deliver everything."""
        while self._asking:
            await asyncio.wait(self._asking)

    def leave(self) -> None:
        """Have nobody ask any more."""
        for task in self._asking:
            task.cancel()

    def _do(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)

    async def _ask(self) -> None:
        way = self._random.choices(list(_WAYS), weights=list(_WAYS.values()))[0]
        old = [number for number in self._world.scenarios if self._random.random() < 0.5]
        if way == "asked again" and old:
            issue = self._world.github.issue(story.REPOSITORY, self._random.choice(old))
        else:
            issue = await self._world.add_issue(scenarios.choose(self._random))
        match way:
            case "delivered twice":
                await self._same_delivery_twice(issue)
            case "under two deliveries":
                await self._two_deliveries(issue)
            case "two comments":
                await asyncio.gather(self._comment(issue), self._comment(issue))
            case "not delivered":
                self._written(issue)
            case "stopped":
                await self._comment(issue)
                await asyncio.sleep(self._random.uniform(0, _LONGEST_BEFORE_STOPPING))
                await self._comment(issue, KILL)
            case _:
                await self._comment(issue)

    async def _comment(self, issue: Issue, text: str = INVESTIGATE) -> None:
        await self._deliver(issue, self._written(issue, text))

    async def _same_delivery_twice(self, issue: Issue) -> None:
        delivery = await self._deliver(issue, self._written(issue))
        await self._world.github.redeliver(delivery)

    async def _two_deliveries(self, issue: Issue) -> None:
        comment = self._written(issue)
        await asyncio.gather(self._deliver(issue, comment), self._deliver(issue, comment))

    def _written(self, issue: Issue, text: str = INVESTIGATE) -> Comment:
        who = self._random.choice(ASKING)
        return self._world.github.add_comment(story.REPOSITORY, issue.number, who, text)

    async def _deliver(self, issue: Issue, comment: Comment) -> int:
        """Deliver a comment under a new id, and return the id of the delivery's first try."""
        github = self._world.github
        if comment.author is None:
            raise AssertionError("somebody wrote it")
        payload = github.hook.comment_payload(
            "created",
            github.world.project(story.REPOSITORY),
            issue,
            comment,
            sender=comment.author,
        )
        return (await github.deliver("issue_comment", payload)).id
