"""The real Claude Code, started as the bot starts it, in front of a scripted model."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import uuid
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp

from bot.agents.base import Launch
from bot.agents.claude import Claude
from bot.models import AgentResult, JobOptions
from bot.settings import ClaudeSettings
from tests.fakes.gateway_client import KEY, through_gateway
from tests.fakes.model import ScriptedModel

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from tests.fakes.model_script import Script


def program() -> str:
    """Return the program inside the wheel of ``claude-agent-sdk``."""
    package = importlib.util.find_spec("claude_agent_sdk")
    if package is None or package.origin is None:
        raise FileNotFoundError("claude-agent-sdk is not installed: run `make e2e`")
    return str(Path(package.origin).parent / "_bundled" / "claude")


@dataclass(frozen=True, slots=True)
class Ran:
    """What a run left."""

    result: AgentResult
    events: list[dict[str, Any]]
    stderr: str

    @property
    def init(self) -> dict[str, Any]:
        """The event that tells tools, skills and servers."""
        return next(event for event in self.events if event.get("subtype") == "init")


@dataclass(frozen=True, slots=True)
class Bench:
    """A job's directory on this machine, with Claude Code and a model."""

    root: Path
    model: ScriptedModel
    launch: Launch
    claude: Claude

    @property
    def directory(self) -> Path:
        """The job's directory, the agent's working directory."""
        return Path(self.launch.directory)

    @property
    def home(self) -> Path:
        """The agent's HOME."""
        return Path(self.launch.home)

    def with_options(self, **options: object) -> Bench:
        """Return the same with other options of the job."""
        return replace(
            self, launch=replace(self.launch, options=JobOptions.model_validate(options))
        )

    async def run(self) -> Ran:
        """Run the agent to its end."""
        process = await self.start()
        prompt = self.claude.invocation(self.launch).stdin
        output, errors = await process.communicate(prompt.encode())
        parser = self.claude.parser()
        parser.feed(output)
        return Ran(
            result=parser.result(process.returncode, stopped=False, timed_out=False),
            events=[json.loads(line) for line in output.splitlines()],
            stderr=errors.decode(),
        )

    async def start(self) -> asyncio.subprocess.Process:
        """Start the agent in an environment that holds nothing of this process."""
        invocation = self.claude.invocation(self.launch)
        for path, text in invocation.files.items():
            await asyncio.to_thread(write, Path(path), text)
        return await asyncio.create_subprocess_exec(
            *invocation.argv,
            env=dict(invocation.environment),
            cwd=self.directory,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=16 * 1024 * 1024,
        )


def write(path: Path, text: str) -> None:
    """Write a file and the directories above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def names(directory: Path) -> list[str]:
    """Return what lies in a directory."""
    return sorted(path.name for path in directory.iterdir())


@asynccontextmanager
async def bench(root: Path, script: Script = ()) -> AsyncGenerator[Bench]:
    """A job's directory, and a gateway in front of a model that answers by ``script``."""
    worktree = root / "job" / "pytorch"
    write(worktree / "bug.py", "answer = 41\n")
    # It reads the hook that travels along.
    claude = await asyncio.to_thread(Claude, ClaudeSettings(command=program()))
    async with (
        aiohttp.ClientSession() as http,
        ScriptedModel(script, key=KEY) as model,
        through_gateway(http, model.url) as machine,
    ):
        launch = Launch(
            options=JobOptions(),
            session_id=str(uuid.uuid4()),
            resume=False,
            prompt="Read brief.md and do what it says.",
            directory=str(root / "job"),
            worktree=str(worktree),
            home=str(root / "home"),
            path="/usr/local/bin:/usr/bin:/bin",
            model_url=machine.url,
            model_token=machine.token,
            environment={"PTQ_RUN_DIR": str(root / "job")},
        )
        yield Bench(root, model, launch, claude)
