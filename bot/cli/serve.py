"""``ptq serve``: the whole service in one process; on Postgres, one of many."""

from __future__ import annotations

import asyncio

from bot import log
from bot.app import serving
from bot.cli.until_told import until_told
from bot.settings import Settings
from bot.starting import check


def serve() -> None:
    """Take GitHub's webhooks, run the jobs, answer in the threads. SIGTERM ends it cleanly."""
    settings = Settings.load()
    check(settings)
    log.configure(settings.log_format, secrets=(*settings.secrets, settings.github.key))
    asyncio.run(until_told(serving(settings)))
