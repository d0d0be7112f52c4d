"""Work that ends when somebody cancels the job, from whatever process."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from bot.investigation.parts import Parts
    from bot.models import JobId

T = TypeVar("T")


async def unless_cancelled(parts: Parts, job_id: JobId, work: Coroutine[None, None, T]) -> T | None:
    """Return what the work returns, or None as soon as the job is asked to stop."""
    doing = asyncio.ensure_future(work)
    watching = asyncio.ensure_future(_cancelled(parts, job_id))
    try:
        await asyncio.wait({doing, watching}, return_when=asyncio.FIRST_COMPLETED)
        if doing.done():
            return doing.result()
        watching.result()
        return None
    finally:
        # This process's own tasks; nothing outside is touched here.
        for task in (doing, watching):
            task.cancel()
        await asyncio.gather(doing, watching, return_exceptions=True)


async def _cancelled(parts: Parts, job_id: JobId) -> None:
    # Another process may be the one that is told: a row is all that both can see.
    while (await parts.jobs.get(job_id)).kill_requested_by is None:  # noqa: ASYNC110 -- as said
        await asyncio.sleep(parts.settings.poll_interval.total_seconds())
