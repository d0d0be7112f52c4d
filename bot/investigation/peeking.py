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
    from collections.abc import Mapping
    from datetime import timedelta

    from bot.agents.base import Agent
    from bot.machines.base import MachineProvider, Shell
    from bot.models import Reservation
    from bot.store import Documents, Job, Leases

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


@dataclass(frozen=True, slots=True)
class Places:
    """Where it may be found: on the machine that is lent to the job, or in the database."""

    provider: MachineProvider
    leases: Leases
    documents: Documents
    agents: Mapping[str, Agent]
    patience: timedelta
    """How long the machine may take."""


async def peek(places: Places, job: Job, *, lines: int) -> Seen:
    """Look on the machine while the job runs there, else at what was collected."""
    reservation = None if job.state.is_end else await _reservation(places, job)
    if reservation is None:
        return await _collected(places, job, lines=lines)
    patience = places.patience.total_seconds()
    try:
        async with asyncio.timeout(patience), places.provider.shell(reservation) as shell:
            return await _look(places, job, reservation, shell, lines=lines)
    except (MachineError, TimeoutError) as error:
        _log.warning(PEEK_FAILED, machine=reservation.machine, reason=str(error))
        seen = await _collected(places, job, lines=lines)
        return Seen(seen.worklog, seen.log, is_silent=True)


async def _reservation(places: Places, job: Job) -> Reservation | None:
    if (lease := await places.leases.of_job(job.id)) is None:
        return None
    try:
        return await places.provider.look_up(lease.id)
    except MachineError:
        return None


async def _look(
    places: Places, job: Job, reservation: Reservation, shell: Shell, *, lines: int
) -> Seen:
    paths = Layout(await shell.expand(reservation.workspace)).job(job.id)
    worklog = await _end(shell, f"{paths.directory}/worklog.md", limit=_WORKLOG_BYTES)
    log = await _end(shell, log_path(job.request, paths), limit=_LOG_BYTES)
    readable = await asyncio.to_thread(told.readable, job, log, agents=places.agents)
    return Seen(worklog=worklog, log=tuple(readable[-lines:]))


async def _end(shell: Shell, path: str, *, limit: int) -> str:
    """Return the end of a text, from the beginning of a line; empty where there is no file."""
    found = await shell.stat(path)
    if found is None or found.is_directory or found.is_symlink:
        return ""
    offset = max(0, found.size - limit)
    data = await shell.read(path, limit=limit, offset=offset)
    return (data.partition(b"\n")[2] if offset else data).decode("utf-8", errors="replace")


async def _collected(places: Places, job: Job, *, lines: int) -> Seen:
    documents = await places.documents.read_all(job.id, job.request.run)
    readable = told.readable(job, documents.get("log", ""), agents=places.agents)
    return Seen(worklog=documents.get("worklog.md", ""), log=tuple(readable[-lines:]))
