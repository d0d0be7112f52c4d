"""Who carries out the jobs: on SQLite one process for each state directory, started when needed."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING

from bot.cli.opened import lock_of
from bot.errors import ConfigurationError
from bot.store import is_served

if TYPE_CHECKING:
    from pathlib import Path

    from bot.cli.opened import Opened
    from bot.settings import Settings

LARGEST_LOG = 5_000_000
"""Bytes from which the log is begun anew; the old one is kept beside it."""


def log_of(settings: Settings) -> Path:
    """Return where a process in the background writes its log."""
    return settings.state / "finish.log"


async def see_to_it(opened: Opened) -> bool:
    """See that a process carries out the unfinished jobs; return whether one was started.

    The service does, or a process that an earlier command left behind; else one is started that
    ends with the last job. On Postgres the workers do.
    """
    settings = opened.settings
    if not opened.database.is_sqlite or await asyncio.to_thread(is_served, lock_of(settings)):
        return False
    if not await opened.jobs.unfinished():
        return False
    nothing = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "finish", "--background"),
        stdin=nothing,
        stdout=nothing,
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await process.communicate()
    if process.returncode:
        raise ConfigurationError(said.decode(errors="replace").strip().removeprefix("ptq: "))
    return True


def detach(settings: Settings) -> bool:
    """Go on in a process of its own, which outlives the terminal; return whether this is it.

    Its output goes to the log. To be called before there are threads.
    """
    path = log_of(settings)
    if path.exists() and path.stat().st_size > LARGEST_LOG:
        path.replace(path.with_suffix(".log.old"))
    if os.fork():
        return False
    os.setsid()
    log = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(source, target)
    return True
