"""A process that runs until it is told to stop, and then ends soon, whatever it waits for."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from contextlib import AbstractAsyncContextManager
from datetime import timedelta

import structlog

STOPPED_LATE = "stopped_late"
"""Something could not be waited for any longer: it goes on as after a crash."""

LONGEST = timedelta(seconds=9)
"""After SIGTERM: who runs processes mostly waits for ten seconds before it kills them."""

_log = structlog.stdlib.get_logger(__name__)


async def until_told(running: AbstractAsyncContextManager[object]) -> None:
    """Run it until SIGTERM or SIGINT."""
    told = told_to_stop()
    async with running:
        await told.wait()


def told_to_stop() -> asyncio.Event:
    """Return what SIGTERM and SIGINT set; from then on the process has ``LONGEST`` to end.

    The database, GitHub or a machine may be away, and threads of libraries that wait for them
    cannot be ended. Nothing is lost with them: what is not recorded is done again.
    """
    told = asyncio.Event()
    loop = asyncio.get_running_loop()

    def tell() -> None:
        if not told.is_set():
            told.set()
            ending = threading.Timer(LONGEST.total_seconds(), _end)
            ending.daemon = True
            ending.start()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, tell)
    return told


def _end() -> None:
    _log.warning(STOPPED_LATE)
    os._exit(0)
