"""The ids of jobs, for a shell that completes them."""

from __future__ import annotations

import asyncio

MOST = 50


def job_names(incomplete: str) -> list[str]:
    """Return the newest ids that begin so; none where there is no database to ask."""
    # A completion that fails says nothing: a shell would show it in the middle of a line.
    try:
        return asyncio.run(_beginning_with(incomplete))
    except Exception:  # noqa: BLE001 -- as said
        return []


async def _beginning_with(text: str) -> list[str]:
    # Imported when it is asked for: every command would start later.
    from bot.cli.opened import opened  # noqa: PLC0415 -- as said
    from bot.settings import Settings  # noqa: PLC0415 -- as said
    from bot.store import JobIds  # noqa: PLC0415 -- as said

    async with opened(Settings.load()) as here:
        return list(await JobIds(here.database).beginning_with(text, limit=MOST))
