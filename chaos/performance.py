"""The whole of it: people ask and trouble comes, then everything may end, then the judge looks."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from chaos.configuration import SILENCE
from chaos.evidence import gather
from chaos.judge import judge
from chaos.memory import write_down
from chaos.people import People
from chaos.trouble import Trouble

if TYPE_CHECKING:
    from chaos.judge import Findings
    from chaos.screen import Screen
    from chaos.world import World

_AT_ONCE = 5
"""Issues with something unfinished, at most, while there is trouble."""
_SECONDS_A_KILL = 40
"""How long trouble may take, for each kill; on a quiet computer it is a fifth of that."""
_SECONDS_TO_END = 600
"""How long nothing may come to its end before the rest counts as unfinished."""
_QUIET = SILENCE + 3
"""Seconds in which something might still be said twice, after everything has ended."""
_SETTLING_SECONDS = 60
_SECONDS_TO_BEGIN = 120
_BEGINNING = 1.5
"""Seconds until it has written down when it looked; GitHub's times are whole seconds."""
_LOOK = 0.5
_OK = 200


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it."""

    kills: int
    troubles: dict[str, int]
    """The others, by kind."""
    findings: Findings


async def perform(world: World, screen: Screen) -> Outcome:
    """Make trouble until there was enough of it, let everything end, and judge."""
    options = world.options
    people = People(world, Random(f"people {options.seed}"))
    trouble = Trouble(world, Random(f"trouble {options.seed}"))
    try:
        await _wait_for_the_beginning(world)
        await _make_trouble(world, people, trouble, screen)
        await trouble.over()
        await people.done()
        await _wait_for_the_end(world, screen)
    finally:
        for task in (people, trouble):
            task.leave()
    await asyncio.gather(*(process.end() for process in world.processes))
    evidence = await gather(world)
    await asyncio.to_thread(write_down, world.github, world.logs)
    return Outcome(
        kills=trouble.hits, troubles=trouble.others, findings=judge(evidence, world.scenarios)
    )


async def _wait_for_the_beginning(world: World) -> None:
    """Wait until the bot has once looked for comments: what was said before was not said to it."""
    await world.github.wait_for(
        lambda: any(
            request.route == "/installation/repositories" and request.status == _OK
            for request in world.github.requests
        ),
        seconds=_SECONDS_TO_BEGIN,
    )
    await asyncio.sleep(_BEGINNING)


async def _make_trouble(world: World, people: People, trouble: Trouble, screen: Screen) -> None:
    options = world.options
    bound = asyncio.get_running_loop().time() + _SECONDS_A_KILL * options.kills
    while trouble.hits < options.kills and asyncio.get_running_loop().time() < bound:
        if world.is_broken:
            return
        due = 1 + options.jobs * (trouble.hits + 1) // options.kills
        open_issues = len(world.unfinished())
        if not open_issues or (people.wishes < due and open_issues < _AT_ONCE):
            people.ask()
        await trouble.go_on()
        screen.show(kills=trouble.hits, wishes=people.wishes, unfinished=len(world.unfinished()))
    while people.wishes < options.jobs:
        people.ask()


async def _wait_for_the_end(world: World, screen: Screen) -> None:
    """Wait until everything has ended, as GitHub shows it; and then for what comes too late."""
    open_issues = world.unfinished()
    while open_issues and not world.is_broken:
        screen.show(unfinished=len(open_issues))
        before = len(open_issues)
        try:
            async with asyncio.timeout(_SECONDS_TO_END):
                while len(open_issues) >= before > 0 and not world.is_broken:
                    await asyncio.sleep(_LOOK)
                    open_issues = world.unfinished()
        except TimeoutError:
            return
    screen.show(unfinished=0)
    await asyncio.sleep(_QUIET)
    bound = asyncio.get_running_loop().time() + _SETTLING_SECONDS
    while asyncio.get_running_loop().time() < bound:
        evidence = await gather(world)
        if not evidence.leases and not evidence.alive:
            return
        await asyncio.sleep(_LOOK)
