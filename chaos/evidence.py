"""Asks GitHub and the machines what they remember; of the bot only its book of reservations.

A pool has no other memory of reservations than that book.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING

from bot.store import Database, Leases
from chaos.agent import STARTS
from chaos.judge import Asked, Evidence, Opened, Said
from demo import leftovers, story

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chaos.world import World
    from tests.fakes.github import FakeGitHub
    from tests.fakes.github.memory import Account, Comment, Issue
    from tests.fakes.machine import FakeMachine

INVESTIGATE = "/ptq investigate"
KILL = "/ptq kill"


def threads(github: FakeGitHub) -> Evidence:
    """Return what GitHub's threads hold; nothing blocks."""
    app = github.world.app.bot
    issues = list(github.world.project(story.REPOSITORY).issues.values())
    comments = [comment for issue in issues for comment in issue.comments]
    return Evidence(
        asked=tuple(
            Asked(one.id, one.number, is_seen=_is_seen(one, app), stops=one.body == KILL)
            for one in comments
            if not one.via_app and one.body in {INVESTIGATE, KILL}
        ),
        said=tuple(Said(one.number, one.body) for one in comments if one.via_app),
        pulls=tuple(opened for issue in issues if (opened := _opened(issue)) is not None),
    )


async def gather(world: World) -> Evidence:
    """Return everything there is to know."""
    github = world.github
    told = threads(github)
    branches = await github.world.project(story.REPOSITORY).git.branches()
    homes = _homes(world.machines)
    return Evidence(
        asked=told.asked,
        said=told.said,
        pulls=told.pulls,
        branches=tuple(name for name in branches if name.startswith("ptq/")),
        starts=await asyncio.to_thread(_starts, world.directory, _homes(world.living)),
        starts_on_dead=await asyncio.to_thread(_starts, world.directory, _homes(world.dead)),
        alive=await asyncio.to_thread(_alive, homes),
        leases=await _leases(world.database.url),
        ends=tuple(end for process in world.processes for end in process.ends),
    )


def _is_seen(comment: Comment, app: Account) -> bool:
    return any(reaction.account is app for reaction in comment.reactions)


def _opened(issue: Issue) -> Opened | None:
    return issue.pull and Opened(issue.number, issue.pull.head, issue.body or "")


def _homes(machines: Sequence[FakeMachine]) -> list[Path]:
    return [machine.home for machine in machines]


def _starts(directory: Path, homes: Sequence[Path]) -> tuple[str, ...]:
    """Return the agents that were started on machines with these homes."""
    try:
        lines = (directory / STARTS).read_text().splitlines()
    except FileNotFoundError:
        return ()
    starts = map(json.loads, lines)
    return tuple(
        start["run"]
        for start in starts
        if any(Path(start["home"]).is_relative_to(home) for home in homes)
    )


def _alive(homes: Sequence[Path]) -> tuple[str, ...]:
    return tuple(_shown(pid) for home in homes for pid in leftovers.found(home))


def _shown(pid: int) -> str:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        words = []
    return f"{pid} {b' '.join(words).decode(errors='replace').strip()}"


async def _leases(database_url: str) -> tuple[str, ...]:
    database = await asyncio.to_thread(Database, database_url)
    try:
        return tuple(lease.id for lease in await Leases(database).living())
    finally:
        await database.close()
