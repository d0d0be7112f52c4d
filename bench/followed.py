"""A service that takes up interrupted jobs on a machine behind a real sshd, seen from outside."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from bench.places import MACHINE
from bench.programs import github_key, program, serving
from bot.store import tables
from tests.fakes.sshd import RealSshd

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

_LOOK = 0.05
_TICKS = os.sysconf("SC_CLK_TCK")
_CONFIG = """\
port = 0
provider = "pool"
log_format = "json"
poll_interval = 1

[github]
app_id = 1
api_url = "http://127.0.0.1:9"
repositories = ["pytorch/pytorch"]

[[machines]]
name = "{name}"
host = "{host}"
port = {port}
user = "{user}"
key = "{key}"
known_hosts = "{known_hosts}"
gpu_type = "cpu"
gpus = 0
slots = {slots}
"""


class Watched:
    """The service's process, and what its database tells people of the logs."""

    def __init__(self, pid: int, database: Path) -> None:
        """Look at this process and this database."""
        self._pid = pid
        self._engine = sa.create_engine(f"sqlite:///file:{database}?mode=ro&uri=true")

    def cpu(self) -> float:
        """Return the seconds of a core that the process has used."""
        fields = Path(f"/proc/{self._pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def memory(self) -> float:
        """Return its resident memory, in MB."""
        pages = int(Path(f"/proc/{self._pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    def lines(self) -> dict[str, float]:
        """Return when the newest line was written that people can read, of each job with one."""
        query = sa.select(tables.jobs.c.id, tables.jobs.c.progress)
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        return {
            row.id: float(row.progress["last_activity"])
            for row in rows
            if row.progress and row.progress["last_activity"]
        }

    async def going_on(self, jobs: int, since: float) -> float:
        """Wait until of every job a line can be read that was written later; return the seconds."""
        while True:
            lines = await asyncio.to_thread(self.lines)
            if sum(written >= since for written in lines.values()) >= jobs:
                return time.time() - since
            await asyncio.sleep(_LOOK)

    async def lags(self, seconds: float) -> list[float]:
        """Watch for a while; return how late each new line could be read, in seconds."""
        before = await asyncio.to_thread(self.lines)
        until = time.time() + seconds
        lags: list[float] = []
        while (now := time.time()) < until:
            lines = await asyncio.to_thread(self.lines)
            lags += [now - at for job, at in lines.items() if at != before.get(job)]
            before = lines
            await asyncio.sleep(_LOOK)
        return lags


@asynccontextmanager
async def interrupted(directory: Path, jobs: int) -> AsyncGenerator[dict[str, str]]:
    """Leave so many jobs, with agents that write; yield the environment of the service."""
    state = directory / "state"
    await asyncio.to_thread(state.mkdir, parents=True)
    async with AsyncExitStack() as stack:
        machine = await stack.enter_async_context(
            RealSshd(directory / "machine", name=MACHINE, environment={"PATH": os.environ["PATH"]})
        )
        home = str(machine.home)
        python = machine.home / "environment/bin/python"
        await asyncio.to_thread(python.parent.mkdir, parents=True)
        await asyncio.to_thread(python.symlink_to, sys.executable)
        writer = await stack.enter_async_context(program("bench.writer", home, str(jobs)))
        await _ready(writer)
        url = f"sqlite:///{state / 'ptq.sqlite'}"
        async with program("bench.interrupted", url, home, str(jobs)) as leaving:
            await _ready(leaving)
        values = machine.settings.model_dump() | {"slots": max(1, jobs)}
        config = directory / "ptq.toml"
        config.write_text(_CONFIG.format(**values))
        yield {
            "PTQ_CONFIG": str(config),
            "PTQ_STATE_DIR": str(state),
            "PTQ_DATABASE_URL": url,
            "PTQ_GITHUB__PRIVATE_KEY": github_key(),
            "PTQ_GITHUB__WEBHOOK_SECRET": "bench",
        }


@asynccontextmanager
async def watched(environment: dict[str, str], *, core: int | None) -> AsyncGenerator[Watched]:
    """Start the service, on one core of its own where ``core`` names it."""
    every = os.sched_getaffinity(0)
    os.sched_setaffinity(0, every if core is None else {core})
    async with AsyncExitStack() as stack:
        try:
            process, _ = await stack.enter_async_context(
                serving("bot", "serve", environment=environment)
            )
        finally:
            os.sched_setaffinity(0, every)
        database = environment["PTQ_DATABASE_URL"].removeprefix("sqlite:///")
        yield Watched(process.pid, Path(database))


async def _ready(process: asyncio.subprocess.Process) -> None:
    if process.stdout is None or process.stderr is None:
        raise AssertionError("a process with pipes")
    if await process.stdout.readline() != b"ready\n":
        said = (await process.stderr.read()).decode(errors="replace")
        raise RuntimeError(f"it ended: {said[-2000:]}")
