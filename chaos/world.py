"""Everybody around the bot, and the bot's own processes, on this computer."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from chaos.agent import SCENARIOS
from chaos.configuration import environment
from chaos.database import ChaosDatabase, database
from chaos.processes import BotProcess
from demo import leftovers, project, story
from tests.fakes.github import FakeGitHub
from tests.fakes.machine import FakeMachine

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from chaos.options import Options
    from chaos.scenarios import Scenario
    from tests.fakes.github import Issue

ASKING = ("ada", "grace", "edsger", "barbara")
"""Who may ask."""

_SLOTS = (2, 1, 1)
"""Of each machine."""


@dataclass(slots=True)
class World:
    """What is killed, cut off and asked."""

    directory: Path
    options: Options
    github: FakeGitHub
    machines: list[FakeMachine]
    processes: list[BotProcess]
    """The one that serves first."""
    database: ChaosDatabase
    scenarios: dict[int, Scenario] = field(default_factory=dict[int, "Scenario"])
    """What agents do, by issue."""
    dead: list[FakeMachine] = field(default_factory=list["FakeMachine"])
    """Machines that never come back."""

    @property
    def living(self) -> list[FakeMachine]:
        """The machines that are there, or away for a moment."""
        return [machine for machine in self.machines if machine not in self.dead]

    @property
    def logs(self) -> Path:
        """Where the logs of the processes lie."""
        return self.directory / "logs"

    @property
    def is_broken(self) -> bool:
        """Whether some process cannot be started at all."""
        return any(process.is_broken for process in self.processes)

    async def add_issue(self, scenario: Scenario) -> Issue:
        """Open an issue whose agents do this."""
        issue = self.github.add_issue(
            story.REPOSITORY, story.TITLE, scenario.body, author=story.REPORTER
        )
        self.scenarios[issue.number] = scenario
        path = self.directory / SCENARIOS / f"{issue.number}.json"
        await asyncio.to_thread(path.write_text, json.dumps(scenario.script()))
        return issue

    def unfinished(self) -> list[int]:
        """Return the issues under which more was asked for than ended, as GitHub shows it."""
        return [number for number in self.scenarios if not self._is_quiet(number)]

    def _is_quiet(self, number: int) -> bool:
        """Whether every command was seen, and every job of the issue has its closing comment."""
        app = self.github.world.app.bot
        comments = self.github.comments(story.REPOSITORY, number)
        # What is there twice is for the judge; nobody waits for it.
        own = {comment.body.partition("\n")[0] for comment in comments if comment.via_app}
        asked = [comment for comment in comments if comment.author is not app]
        begun = sum(first.startswith("<!-- ptq:progress ") for first in own)
        ended = sum(first.startswith("<!-- ptq:closing ") for first in own)
        seen = all(
            any(reaction.account is app for reaction in comment.reactions) for comment in asked
        )
        answers = len(own) - begun - ended
        return seen and begun == ended and begun + answers >= len(asked)


@asynccontextmanager
async def world(directory: Path, options: Options) -> AsyncGenerator[World]:
    """Build it under ``directory``, and start the bot; at the end nothing of it runs on."""
    for name in (SCENARIOS, "logs"):
        await asyncio.to_thread((directory / name).mkdir)
    sample = await project.build(directory / "project")
    async with AsyncExitStack() as stack:
        github = await stack.enter_async_context(FakeGitHub())
        await github.add_repository(
            story.REPOSITORY,
            source=sample.source,
            collaborators=dict.fromkeys(ASKING, "write"),
        )
        machines = [
            await stack.enter_async_context(_machine(directory, number, slots))
            for number, slots in enumerate(_SLOTS, 1)
        ]
        where = await stack.enter_async_context(database(_state(directory, 0), options))
        variables = await asyncio.to_thread(
            environment, directory, options, github, machines, sample
        )
        processes = [
            BotProcess(
                "worker" if number else "serve",
                f"worker-{number}" if number else "serve",
                logs=directory / "logs",
                environment={
                    **variables,
                    "PTQ_DATABASE_URL": where.url,
                    # Each is a host of its own.
                    "PTQ_STATE_DIR": str(_state(directory, number)),
                },
                serves=lambda url: github.listen(f"{url}/webhook"),
            )
            for number in range(options.workers)
        ]
        for process in processes:
            stack.push_async_callback(process.kill)
            await process.start()
        yield World(
            directory=directory,
            options=options,
            github=github,
            machines=machines,
            processes=processes,
            database=where,
        )


def _state(directory: Path, number: int) -> Path:
    return directory / f"state-{number}"


@asynccontextmanager
async def _machine(directory: Path, number: int, slots: int) -> AsyncGenerator[FakeMachine]:
    """Run a machine, and end with it whatever runs on it: agents outlive connections."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    machine = FakeMachine(
        directory / f"machine-{number}",
        name=f"gpu-{number}",
        gpu_type="h100",
        gpus=1,
        slots=slots,
        environment={"PATH": path, "TMPDIR": str(directory)},
    )
    async with machine:
        try:
            yield machine
        finally:
            await asyncio.to_thread(leftovers.end, machine.home)
