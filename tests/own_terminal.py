"""The command line as a person uses it: without a GitHub App, on the machine of the tests."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bot.store import is_served
from tests.harness import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from tests.harness import Bot

ROOT = Path(__file__).parent.parent
_LOOK = 0.05
_LONG = 120.0
"""Seconds until a test gives up waiting for processes."""


@dataclass(frozen=True, slots=True)
class Ended:
    """What a command ended with, and what it said."""

    status: int | None
    out: str
    err: str

    @property
    def said(self) -> str:
        """Everything, as a person sees it."""
        return self.out + self.err


class Terminal:
    """Runs commands with the settings of a person who has no App."""

    def __init__(self, bot: Bot) -> None:
        """Keep the state apart from the service's."""
        self.bot = bot
        self.state = bot.directory / "own-state"
        self.config = bot.directory / "own.toml"
        self.config.write_text(_config(bot, self.state))
        self.variables = {
            "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
            "HOME": str(bot.directory),
            "PTQ_CONFIG": str(self.config),
            "COLUMNS": "100",
        }

    async def start(self, *argv: str, **variables: str) -> asyncio.subprocess.Process:
        """Start a command."""
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", *argv),
            cwd=ROOT,
            env=self.variables | variables,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    async def ptq(self, *argv: str, **variables: str) -> Ended:
        """Run a command to its end."""
        process = await self.start(*argv, **variables)
        out, err = await process.communicate()
        return Ended(process.returncode, self.plain(out.decode()), self.plain(err.decode()))

    async def left_alone(self) -> None:
        """Wait until no process carries out jobs any more."""
        async with asyncio.timeout(_LONG):
            is_held = True
            while is_held:
                is_held = await asyncio.to_thread(is_served, self.state / "serve.lock")
                await asyncio.sleep(_LOOK if is_held else 0)

    async def reached(self, state: str, job: str) -> None:
        """Wait until a job is in this state."""
        there = ""
        async with asyncio.timeout(_LONG):
            while there != state:
                there = json.loads((await self.ptq("status", job, "--json")).out)["state"]

    async def kill_whoever_carries_out(self) -> None:
        """End the process in the background without a word, and wait until it is gone."""
        for pid in await asyncio.to_thread(_holders, self.state / "serve.lock"):
            os.kill(pid, signal.SIGKILL)
        await self.left_alone()

    def plain(self, text: str) -> str:
        """Replace what differs from run to run."""
        return self.bot.plain(text)


def _holders(file: Path) -> set[int]:
    """Return the processes that have a file open."""
    opened = [path for path in Path("/proc").glob("[0-9]*/fd/*") if _leads_to(path, file)]
    return {int(path.parts[2]) for path in opened}


def _leads_to(path: Path, file: Path) -> bool:
    try:
        return path.readlink() == file
    except OSError:
        return False


@asynccontextmanager
async def terminal_of(bot: Bot) -> AsyncGenerator[Terminal]:
    """Sit down at a terminal; at the end nothing that it started runs on."""
    terminal = Terminal(bot)
    try:
        yield terminal
    except BaseException:
        # A job that waits for the test would wait for ever.
        await terminal.kill_whoever_carries_out()
        raise
    await terminal.left_alone()


def _config(bot: Bot, state: Path) -> str:
    settings, machine = bot.settings, bot.settings.machines[0]
    torch = settings.torch
    return f"""\
provider = "pool"
state_dir = "{state}"
log_format = "json"
poll_interval = 0.05

[github]
api_url = "{settings.github.api_url}"
repositories = ["{REPOSITORY}"]

[agent]
stop_grace = 1

[agent.claude]
command = "{settings.agent.claude.command}"

[torch]
package = "{torch.package}"
module = "{torch.module}"
index_url = "{torch.index_url}"
tagged = false
cuda = "cpu"
source_url = "{torch.source_url}"
python = "{torch.python}"
extra_packages = []

[proof]
time_limit = 3

[[machines]]
name = "{machine.name}"
host = "{machine.host}"
port = {machine.port}
user = "{machine.user}"
key = "{machine.key}"
known_hosts = "{machine.known_hosts}"
gpu_type = "{machine.gpu_type}"
gpus = {machine.gpus}
"""
