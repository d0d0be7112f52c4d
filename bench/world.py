"""The bot between a GitHub with a memory and a machine, with a scripted agent: whole jobs."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
import time
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Generic, Self, TypeVar

from bench.script import Given, Recorded
from bot.app import Service, serving
from bot.models import JobState, RepositoryName
from demo import project, story
from tests import harness
from tests.fakes.github import FakeGitHub
from tests.fakes.machine import FakeMachine
from tests.fakes.sshd import RealSshd

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    import asyncssh

    from bot.store import Job
    from tests.fakes.machine import Reader

_LOOK = 0.005
_PATIENCE = 180.0
_AGENT = "runner.pyz start"
_BUILT = (".venv", "pytorch")
_FOLLOWER = "exec python3 -I -c"
_SFTP = "/usr/lib/openssh:/usr/libexec/openssh:/usr/lib/ssh:/usr/libexec"
_COMMENT = "/ptq investigate --gpu-type cpu --hours 1"

_TIMED = """\
#!/bin/sh
case $SSH_ORIGINAL_COMMAND in
  # What follows the logs runs beside everything else, and is no command of a job.
  *'{follower}'*) exec sh -c "$SSH_ORIGINAL_COMMAND" ;;
  *sftp*) exec {sftp} ;;
esac
began=$(date +%s.%N)
sh -c "$SSH_ORIGINAL_COMMAND"
status=$?
echo "$began $(date +%s.%N)" >>'{spans}'
exit $status
"""

M = TypeVar("M", bound=FakeMachine | RealSshd)


class RecordingMachine(FakeMachine):
    """A machine in this process that keeps what it was told to do."""

    def __init__(self, directory: Path, *, environment: dict[str, str]) -> None:
        """Keep the login's home under ``directory``."""
        super().__init__(directory, environment=environment)
        self._given: list[tuple[float, Given]] = []
        self._stdin: dict[str, bytearray] = {}
        self._written: dict[str, bytes] = {}

    async def _run(self, session: asyncssh.SSHServerProcess[bytes]) -> None:
        began = time.time()
        line = session.command or ""
        if _AGENT in line:
            self._written = await asyncio.to_thread(_written, line)
        await super()._run(session)
        self._given.append((began, Given(line, bytes(self._stdin.pop(line, b"")))))

    def heard(self, line: str, stdin: Reader) -> Reader:
        """Keep what a command can read."""
        return _Heard(stdin, self._stdin.setdefault(line, bytearray()))

    def recorded(self, job: Job) -> Recorded:
        """Return a job's way from when its machine was ours to its agent's start."""
        ready = job.states[JobState.RESERVING].timestamp()
        commands = [given for began, given in sorted(self._given, key=_began) if began >= ready]
        start = next(number for number, given in enumerate(commands) if given.is_start)
        return Recorded(str(self.home), job.id, commands[: start + 1], self._written)


class TimedMachine(RealSshd):
    """A real sshd that knows when each of its commands ran."""

    def __init__(self, directory: Path, *, environment: dict[str, str]) -> None:
        """Keep the login's home under ``directory``."""
        self._spans = directory / "spans"
        super().__init__(directory, environment=environment, force=directory / "timed.sh")

    async def __aenter__(self) -> Self:
        """Start it."""
        await asyncio.to_thread(self._spans.parent.mkdir, parents=True)
        timed = self._spans.parent / "timed.sh"
        await asyncio.to_thread(timed.write_text, _timed(self._spans))
        await asyncio.to_thread(timed.chmod, 0o700)
        return await super().__aenter__()

    def busy(self, since: float, until: float) -> float:
        """Return for how many seconds of this time at least one command ran."""
        lines = self._spans.read_text().splitlines()
        total, reached = 0.0, since
        for began, ended in sorted(tuple(map(float, line.split())) for line in lines):
            begin, end = max(began, reached), min(ended, until)
            if end > begin:
                total, reached = total + end - begin, end
        return total


class _Heard:
    """A stream that keeps what was read from it."""

    def __init__(self, stream: Reader, kept: bytearray) -> None:
        self._stream, self._kept = stream, kept

    async def read(self, n: int = -1, /) -> bytes:
        data = await self._stream.read(n)
        self._kept += data
        return data


def _timed(spans: Path) -> str:
    sftp = shutil.which("sftp-server", path=_SFTP)
    if sftp is None:
        raise RuntimeError("OpenSSH's sftp-server is not installed")
    return _TIMED.format(follower=_FOLLOWER, sftp=sftp, spans=spans)


def _began(given: tuple[float, Given]) -> float:
    return given[0]


def _written(line: str) -> dict[str, bytes]:
    """Return the files of the job whose agent this line starts, without what was built there."""
    directory = Path(Given(line, b"").argv[-1]).parent
    found: dict[str, bytes] = {}
    for path in directory.rglob("*"):
        name = path.relative_to(directory)
        if name.parts[0] not in _BUILT and path.is_file() and not path.is_symlink():
            found[str(name)] = path.read_bytes()
    return found


@dataclass(slots=True)
class World(Generic[M]):
    """The running bot, and everybody it deals with."""

    github: FakeGitHub
    machine: M
    service: Service
    asked: float = 0.0
    written: float = 0.0
    """When the agent of the newest job had its first byte in its log."""

    async def job(self) -> Job:
        """Ask for a job under a new issue, and return it when it has ended."""
        issue = self.github.add_issue(harness.REPOSITORY, story.TITLE, story.BODY, author="someone")
        self.asked = time.time()
        await self.github.post_comment(
            harness.REPOSITORY, issue.number, harness.MAINTAINER, _COMMENT
        )
        async with asyncio.timeout(_PATIENCE):
            self.written = await self._first_byte(issue.number)
            while True:
                name = RepositoryName.parse(harness.REPOSITORY)
                job = await self.service.jobs.newest(name, issue.number)
                if job is not None and job.state.is_end:
                    return job
                await asyncio.sleep(0.1)

    async def _first_byte(self, issue: int) -> float:
        pattern = f"ptq_workspace/jobs/*-{issue}/claude-1.log"
        while True:
            for log in await asyncio.to_thread(lambda: list(self.machine.home.glob(pattern))):
                if (await asyncio.to_thread(log.stat)).st_size:
                    return time.time()
            await asyncio.sleep(_LOOK)

    def ending(self, job: Job) -> dict[str, float]:
        """Return when the agent of a job started and ended, by the machine's clock."""
        run = self.machine.home / f"ptq_workspace/jobs/{job.id}/run-1/exit.json"
        return json.loads(run.read_text())


@asynccontextmanager
async def world(directory: Path, kind: type[M]) -> AsyncGenerator[World[M]]:
    """Run the bot with such a machine, which one job has prepared."""
    environment = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    sample = await project.build(directory / "project")
    scenario = {**story.scenario(), "resumed": [{"say": "That is all."}], "usd_per_turn": 0.02}
    await asyncio.to_thread((directory / "scenario.json").write_text, json.dumps(scenario))
    machine = kind(directory / "machine", environment=environment)
    async with AsyncExitStack() as stack:
        github = await stack.enter_async_context(FakeGitHub())
        await stack.enter_async_context(machine)
        await github.add_repository(
            harness.REPOSITORY, source=sample.source, collaborators={harness.MAINTAINER: "write"}
        )
        settings = await harness.settings_for(github, machine, sample, directory)
        settings = settings.model_copy(update={"progress_interval": timedelta(seconds=30)})
        service = await stack.enter_async_context(serving(settings))
        github.hook.url = f"{service.url}/webhook"
        running = World(github, machine, service)
        await running.job()
        yield running
