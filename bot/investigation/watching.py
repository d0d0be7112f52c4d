"""One watch per process over all its jobs: who is to stop, and whose reservation has moved.

Another process may be the one that is told (it took the comment, or is a terminal), so a row is all
that both can see. However many jobs run here, each look is the same two queries.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from bot.errors import Paused
from bot.log import Outage
from bot.models import StopKind
from bot.store import DatabaseError

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from bot.models import JobId, LeaseId
    from bot.store import Jobs, Leases

NOT_WATCHED = "not_watched"

LONGEST = timedelta(seconds=1)
"""Between two looks: a kill takes effect within five seconds, and the agent has two to end."""

_log = structlog.stdlib.get_logger(__name__)


@dataclass(eq=False, slots=True)
class _Stop:
    job_id: JobId
    kinds: Collection[StopKind]
    told: asyncio.Future[StopKind]


@dataclass(eq=False, slots=True)
class _Move:
    lease_id: LeaseId
    known: datetime
    told: asyncio.Future[datetime | None]


class Watch:
    """Looks at the rows of the jobs that are waited for here, and only while there are any."""

    def __init__(self, jobs: Jobs, leases: Leases, *, interval: timedelta) -> None:
        """Look once an interval, and no less often than ``LONGEST``."""
        self._jobs = jobs
        self._leases = leases
        self._interval = min(interval, LONGEST).total_seconds()
        self._stops: set[_Stop] = set()
        self._moves: set[_Move] = set()
        self._news = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None
        self._outage = Outage(_log, NOT_WATCHED)

    async def stop(self, job_id: JobId, kinds: Collection[StopKind] = tuple(StopKind)) -> StopKind:
        """Return why the job is to stop, once it is, for one of these reasons."""
        waiter = _Stop(job_id, kinds, asyncio.get_running_loop().create_future())
        self._stops.add(waiter)
        self.look()
        try:
            return await waiter.told
        finally:
            self._stops.discard(waiter)

    async def moved(self, lease_id: LeaseId, known: datetime) -> datetime | None:
        """Return the lease's end, once it is another one than is known; None when it is gone."""
        waiter = _Move(lease_id, known, asyncio.get_running_loop().create_future())
        self._moves.add(waiter)
        self.look()
        try:
            return await waiter.told
        finally:
            self._moves.discard(waiter)

    def look(self) -> None:
        """Look now: there is somebody new to look for, or something new to see."""
        self._news.set()
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())

    async def close(self) -> None:
        """Look no more."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.wait({self._looking})

    async def _look(self) -> None:
        while self._stops or self._moves:
            self._news.clear()
            try:
                await self._tell_stops()
                await self._tell_moves()
                self._outage.is_over()
            except (DatabaseError, Paused) as error:
                self._outage.goes_on(error)
            except Exception:  # noqa: BLE001 -- nobody else would see who is to stop
                _log.exception(NOT_WATCHED)
            try:
                async with asyncio.timeout(self._interval):
                    await self._news.wait()
            except TimeoutError:
                continue

    async def _tell_stops(self) -> None:
        waiting = list(self._stops)
        if not waiting:
            return
        stops = await self._jobs.stops({waiter.job_id for waiter in waiting})
        for waiter in waiting:
            kind = stops.get(waiter.job_id)
            if kind is not None and kind in waiter.kinds and not waiter.told.done():
                waiter.told.set_result(kind)

    async def _tell_moves(self) -> None:
        waiting = list(self._moves)
        if not waiting:
            return
        ends = await self._leases.ends({waiter.lease_id for waiter in waiting})
        for waiter in waiting:
            end = ends.get(waiter.lease_id)
            if end != waiter.known and not waiter.told.done():
                waiter.told.set_result(end)
