"""A machine and the runs on it: our own machine and one over SSH in turn, nothing left running."""

from __future__ import annotations

import json
import os
import sys
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from bot.agents import runs
from bot.agents.base import Invocation
from bot.agents.runs import Run
from bot.machines.connections import Connections
from bot.machines.local import LocalShell
from bot.machines.ssh import SshShell
from tests.fakes.machine import FakeMachine

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping
    from pathlib import Path

    from bot.machines.base import Shell


@dataclass
class Desk:
    """A machine, and a run on it."""

    shell: Shell
    home: Path
    ids: list[str] = field(default_factory=list[str])
    machine: FakeMachine | None = None

    def run(
        self,
        *,
        name: str = "run-1",
        soft: timedelta = timedelta(minutes=1),
        hard: timedelta = timedelta(minutes=2),
        grace: timedelta = timedelta(seconds=5),
    ) -> Run:
        """Plan a run that begins now."""
        now = datetime.now(UTC)
        self.ids.append(name)
        return Run(
            id=f"{self.home}/{name}",
            directory=f"~/{name}",
            cwd="~",
            log=f"~/{name}.log",
            python=sys.executable,
            soft_deadline=now + soft,
            hard_deadline=now + hard,
            stop_grace=grace,
        )

    async def number(self, name: str) -> int:
        """Wait until the agent wrote a number and a newline into a file, and return it."""
        text = b""
        async with aclosing(self.shell.tail(f"~/{name}")) as chunks:
            async for chunk in chunks:
                text += chunk.data
                if text.endswith(b"\n"):
                    break
        return int(text)

    def supervisor(self, run: Run) -> int:
        """Return the process that watches over a run."""
        path = self.home / run.directory.removeprefix("~/") / "supervisor.json"
        return int(json.loads(path.read_text())["pid"])


@pytest.fixture(params=["local", "ssh"])
async def desk(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[Desk]:
    """Work on our own machine, and over SSH; nothing is left running."""
    if request.param == "local":
        home = tmp_path / "home"
        home.mkdir()
        shell = LocalShell({"HOME": str(home), "PATH": os.environ["PATH"]})
        desk = Desk(shell, home)
        yield desk
        await _stop_all(desk)
        return
    connections = Connections()
    async with FakeMachine(tmp_path) as machine:
        shell = SshShell(connections.to(machine.settings), patience=timedelta(seconds=1))
        desk = Desk(shell, machine.home, machine=machine)
        yield desk
        await _stop_all(desk)
        await connections.close()


async def _stop_all(desk: Desk) -> None:
    for name in set(desk.ids):
        await runs.stop(desk.shell, desk.run(name=name, grace=timedelta(0)))


def script(
    text: str,
    *,
    environment: Mapping[str, str] | None = None,
    stdin: str = "",
    files: Mapping[str, str] | None = None,
) -> Invocation:
    """Return how to start a shell script as an agent."""
    path = {"PATH": os.environ["PATH"]}
    return Invocation(
        argv=("/bin/sh", "-c", text),
        environment=path if environment is None else environment,
        stdin=stdin,
        files=files or {},
    )


async def read_log(desk: Desk, run: Run, *, offset: int = 0) -> bytes:
    """Follow a run to its end and return its log."""
    text = b""
    async with aclosing(runs.follow(desk.shell, run, offset=offset)) as chunks:
        async for chunk in chunks:
            assert chunk.offset == offset + len(text)
            text += chunk.data
    return text
