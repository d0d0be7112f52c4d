"""A process that runs until it is told to stop."""

from __future__ import annotations

import asyncio
import signal
from contextlib import AbstractAsyncContextManager


async def until_told(running: AbstractAsyncContextManager[object]) -> None:
    """Run it until SIGTERM or SIGINT."""
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    async with running:
        await told.wait()
