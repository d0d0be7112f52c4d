"""``ptq serve``: the whole service in one process."""

from __future__ import annotations

import asyncio
import signal

from bot import log
from bot.app import check, serving
from bot.settings import Settings


def serve() -> None:
    """Take GitHub's webhooks, run the jobs, answer in the threads. SIGTERM ends it cleanly."""
    settings = Settings.load()
    check(settings)
    log.configure(settings.log_format, secrets=(*settings.secrets, settings.github.key))
    asyncio.run(_until_told(settings))


async def _until_told(settings: Settings) -> None:
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    async with serving(settings):
        await told.wait()
