"""A job watched from its comment to its end."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from rich.text import Text

from bot.agents.stream import StreamParser
from bot.models import JobState
from demo.checklist import Checklist
from demo.screen import printable

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from bot.store import Job
    from demo.stage import Stage

NO_JOB = 20.0
"""Seconds after which a comment without a job was refused."""
_LOOK = 0.1
_PIECE = 1 << 20


async def watch(stage: Stage, console: Console) -> Job | None:
    """Show the phases and what the agent does until the job has ended; None when there is none."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    log = _AgentLog(console)
    with Checklist(console) as checklist:
        while True:
            job = await stage.job()
            is_investigating = job is not None and job.state is JobState.INVESTIGATING
            # What the agent did stands between the beginning and the end of its phase.
            if is_investigating:
                checklist.show(job)
            if job is not None:
                await log.show(stage.directory(job) / stage.log_name(job))
            checklist.show(job)
            if job is not None and job.state.is_end:
                return job
            if job is None and loop.time() - begun > NO_JOB:
                return None
            await asyncio.sleep(_LOOK)


class _AgentLog:
    """Shows the agent's log in readable lines as it grows."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._parser = StreamParser()
        self._offset = 0

    async def show(self, path: Path) -> None:
        data = await asyncio.to_thread(_read, path, self._offset)
        self._offset += len(data)
        for line in self._parser.feed(data):
            told = printable(line).replace(f"{path.parent}/", "")
            shown = Text(f"    {told}", "dim", no_wrap=True, overflow="ellipsis")
            self._console.print(shown)


def _read(path: Path, offset: int) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(offset)
            return file.read(_PIECE)
    except FileNotFoundError:
        return b""
