"""The jobs of this process that wait for a machine: looked at all together, woken one by one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from bot.errors import MachineError, Paused
from bot.log import Outage
from bot.store import DatabaseError

if TYPE_CHECKING:
    from datetime import timedelta

    from bot.models import LeaseId
    from bot.store import Queue

QUEUE_NOT_SEEN = "queue_not_seen"

_log = structlog.stdlib.get_logger(__name__)


class WaitingRoom:
    """Where jobs wait for their turn; looks at the queue only while one does."""

    def __init__(self, queue: Queue, *, interval: timedelta) -> None:
        """Look at the queue once an interval, and when there may be something new."""
        self._queue = queue
        self._interval = interval.total_seconds()
        self._waiting: dict[LeaseId, asyncio.Future[None]] = {}
        self._news = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None
        self._outage = Outage(_log, QUEUE_NOT_SEEN)

    async def turn(self, lease_id: LeaseId) -> None:
        """Return when the lease has its turn; raise MachineError when it was released instead."""
        turn = self._waiting[lease_id] = asyncio.get_running_loop().create_future()
        self.look()
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        try:
            await turn
        finally:
            self._waiting.pop(lease_id, None)

    def look(self) -> None:
        """Look at the queue now: a lease was released, or a job has come."""
        self._news.set()

    async def close(self) -> None:
        """Look no more."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.wait({self._looking})

    async def _look(self) -> None:
        while self._waiting:
            self._news.clear()
            try:
                await self._admit()
                self._outage.is_over()
            except (DatabaseError, Paused) as error:
                # Who waits goes on waiting: it may be for a moment only.
                self._outage.goes_on(error)
            except Exception:  # noqa: BLE001 -- nobody else would give those who wait their turn
                _log.exception(QUEUE_NOT_SEEN)
            try:
                async with asyncio.timeout(self._interval):
                    await self._news.wait()
            except TimeoutError:
                continue

    async def _admit(self) -> None:
        before = set(self._waiting)
        decided = await self._queue.admit()
        for lease_id in before & set(self._waiting):
            turn = self._waiting[lease_id]
            if turn.done():
                continue
            if lease_id in decided.going:
                turn.set_result(None)
            elif lease_id not in decided.waiting:
                turn.set_exception(MachineError(f"lease {lease_id} is released or unknown"))
