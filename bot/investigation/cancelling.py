"""Work that ends when somebody cancels the job, from whatever process."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from bot.models import StopKind

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from bot.investigation.parts import Parts
    from bot.models import JobId

T = TypeVar("T")


async def unless_cancelled(parts: Parts, job_id: JobId, work: Coroutine[None, None, T]) -> T | None:
    """Return what the work returns, or None as soon as somebody kills the job."""
    doing = asyncio.ensure_future(work)
    watching = asyncio.ensure_future(parts.watch.stop(job_id, (StopKind.KILLED,)))
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
