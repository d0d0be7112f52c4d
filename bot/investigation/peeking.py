"""A look at what an agent is doing: its worklog and its log, while it runs and after."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from bot import told
from bot.errors import MachineError
from bot.investigation.agent import log_path
from bot.workspace.layout import Layout

if TYPE_CHECKING:
    from bot.investigation.parts import Parts
    from bot.machines.base import Shell
    from bot.models import Reservation
    from bot.store import Job

PEEK_FAILED = "peek_failed"

_WORKLOG_BYTES = 100_000
_LOG_BYTES = 400_000
"""Of the end of the log: some hundred readable lines."""
_log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Seen:
    """What an agent wrote so far, all of it untrusted."""

    worklog: str = ""
    log: tuple[str, ...] = ()
    """The last lines of its log that people can read."""
    is_silent: bool = False
    """Whether the machine did not answer: then this is what was known before."""


async def peek(parts: Parts, job: Job, *, lines: int) -> Seen:
    """Look on the machine while the job runs there, else at what was collected."""
    reservation = None if job.state.is_end else await _reservation(parts, job)
    if reservation is None:
        return await _collected(parts, job, lines=lines)
    patience = parts.settings.machine_patience.total_seconds()
    try:
        async with asyncio.timeout(patience), parts.provider.shell(reservation) as shell:
            return await _look(parts, job, reservation, shell, lines=lines)
    except (MachineError, TimeoutError) as error:
        _log.warning(PEEK_FAILED, machine=reservation.machine, reason=str(error))
        seen = await _collected(parts, job, lines=lines)
        return Seen(seen.worklog, seen.log, is_silent=True)


async def _reservation(parts: Parts, job: Job) -> Reservation | None:
    if (lease := await parts.leases.of_job(job.id)) is None:
        return None
    try:
        return await parts.provider.look_up(lease.id)
    except MachineError:
        return None


async def _look(
    parts: Parts, job: Job, reservation: Reservation, shell: Shell, *, lines: int
) -> Seen:
    paths = Layout(await shell.expand(reservation.workspace)).job(job.id)
    worklog = await _end(shell, f"{paths.directory}/worklog.md", limit=_WORKLOG_BYTES)
    log = await _end(shell, log_path(job.request, paths), limit=_LOG_BYTES)
    readable = await asyncio.to_thread(told.readable, job, log, agents=parts.agents)
    return Seen(worklog=worklog, log=tuple(readable[-lines:]))


async def _end(shell: Shell, path: str, *, limit: int) -> str:
    """Return the end of a text, from the beginning of a line; empty where there is no file."""
    found = await shell.stat(path)
    if found is None or found.is_directory or found.is_symlink:
        return ""
    offset = max(0, found.size - limit)
    data = await shell.read(path, limit=limit, offset=offset)
    return (data.partition(b"\n")[2] if offset else data).decode("utf-8", errors="replace")


async def _collected(parts: Parts, job: Job, *, lines: int) -> Seen:
    documents = await parts.documents.read_all(job.id, job.request.run)
    readable = told.readable(job, documents.get("log", ""), agents=parts.agents)
    return Seen(worklog=documents.get("worklog.md", ""), log=tuple(readable[-lines:]))
