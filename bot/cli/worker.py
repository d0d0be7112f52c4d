"""``ptq worker``: one more process that runs the jobs; it takes Postgres."""

from __future__ import annotations

import asyncio

from bot import log
from bot.app import working
from bot.cli.until_told import until_told
from bot.settings import Settings
from bot.starting import check_worker


def worker() -> None:
    """Run jobs that `ptq serve` accepts, beside it and other workers. SIGTERM hands them on."""
    settings = Settings.load()
    check_worker(settings)
    log.configure(settings.log_format, secrets=(*settings.secrets, settings.github.key))
    asyncio.run(until_told(working(settings)))
