"""The command line as a process of its own: started, listened to, frozen, killed."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.harness import PATIENCE, REPOSITORY

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from tests.harness import Bot

ROOT = Path(__file__).parent.parent


async def ptq(*argv: str, **environment: str) -> asyncio.subprocess.Process:
    """Start the command line."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot",
        *argv,
        cwd=ROOT,
        env={**kept, **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def ended(process: asyncio.subprocess.Process) -> tuple[int | None, str, str]:
    """Return the exit status and what was said."""
    stdout, stderr = await process.communicate()
    return process.returncode, stdout.decode(), stderr.decode()


class Program:
    """A running ``ptq``, by what it logs."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        """Listen from now on."""
        self._process = process
        self.log: list[dict[str, Any]] = []
        """Every line so far; one that is no JSON under ``text``."""
        self._heard = asyncio.Condition()
        self._listening = asyncio.create_task(self._listen())

    async def said(self, event: str, *, after: int = 0) -> dict[str, Any]:
        """Wait until it has logged an event beyond its first ``after`` lines; return the line."""

        def found() -> dict[str, Any] | None:
            return next((line for line in self.log[after:] if line.get("event") == event), None)

        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE), self._heard:
                await self._heard.wait_for(lambda: found() is not None or self._listening.done())
        line = found()
        assert line is not None, f"no {event} after line {after} of {self.log}"
        return line

    def freeze(self) -> None:
        """Stop it in the middle of whatever it does."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on, as if nothing had been."""
        self._process.send_signal(signal.SIGCONT)

    async def kill(self) -> None:
        """End it without a word."""
        self._process.kill()
        await self._process.wait()

    async def stop(self) -> int:
        """Tell it to stop; return its exit status."""
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGCONT)
            self._process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(PATIENCE):
            status = await self._process.wait()
        await self._listening
        return status

    async def _listen(self) -> None:
        assert self._process.stderr is not None
        while line := await self._process.stderr.readline():
            async with self._heard:
                self.log.append(_parsed(line.decode()))
                self._heard.notify_all()
        async with self._heard:
            self._heard.notify_all()


def _parsed(line: str) -> dict[str, Any]:
    try:
        return json.loads(line)
    except ValueError:
        return {"text": line}


@asynccontextmanager
async def running(bot: Bot, command: str) -> AsyncGenerator[Program]:
    """Run ``ptq serve`` or ``ptq worker`` until the block ends; GitHub knows where it serves."""
    program = Program(await ptq(command, **environment_of(bot)))
    try:
        if command == "serve":
            url = (await program.said("serving"))["url"]
            bot.github.hook.url = f"{url}/webhook"
        else:
            await program.said("working")
        yield program
    finally:
        await program.stop()
        for secret in bot.settings.secrets:
            assert secret not in json.dumps(program.log)


def environment_of(bot: Bot) -> dict[str, str]:
    """Return the settings of a bot as an operator writes them: a file, and secrets."""
    settings, machine = bot.settings, bot.settings.machines[0]
    torch = settings.torch
    config = bot.directory / "ptq.toml"
    config.write_text(
        f"""\
port = 0
provider = "pool"
state_dir = "{settings.state_dir}"
log_format = "json"
poll_interval = 0.05
progress_interval = 0

[workers]
heartbeat = {settings.workers.heartbeat.total_seconds()}
silence = {settings.workers.silence.total_seconds()}

[github]
app_id = {settings.github.app_id}
api_url = "{settings.github.api_url}"
repositories = ["{REPOSITORY}"]

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
    )
    assert settings.github.webhook_secret is not None
    shared = {} if settings.database_url is None else {"PTQ_DATABASE_URL": settings.database_url}
    return {
        "PTQ_CONFIG": str(config),
        "PTQ_GITHUB__PRIVATE_KEY": settings.github.key,
        "PTQ_GITHUB__WEBHOOK_SECRET": settings.github.webhook_secret.get_secret_value(),
        **shared,
    }
