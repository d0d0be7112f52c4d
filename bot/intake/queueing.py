"""From what the door recorded to the engine's queue: oldest first, no more than are soon handled.

The door writes one row and answers; what a delivery needs besides is done here, a moment later. A
process that dies in between leaves the row, and the next start or another process goes on with it.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import structlog

from bot.durable import Queue
from bot.errors import Paused
from bot.log import Outage
from bot.store import DatabaseError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from datetime import timedelta

    from bot.durable import Engine, Enqueuing
    from bot.models import DeliveryId
    from bot.store import Deliveries

DELIVERIES_NOT_ENQUEUED = "deliveries_not_enqueued"

DELIVERIES = Queue("deliveries", at_once=16)
HANDLE_DELIVERY = "delivery"
"""The workflow's name, which its records keep."""

_AT_ONCE = 16
"""In one transaction: those who write a delivery's row meanwhile wait for it on SQLite."""
_MOST = 256
"""Enqueued and not handled, of all processes: the others wait where they cost nothing."""

_log = structlog.stdlib.get_logger(__name__)


class Queueing:
    """Enqueues the handling of recorded deliveries."""

    def __init__(self, engine: Engine, deliveries: Deliveries, *, interval: timedelta) -> None:
        """Look when told to, and once an interval for what other processes left."""
        self._engine = engine
        self._deliveries = deliveries
        self._interval = interval.total_seconds()
        self._news = asyncio.Event()
        self._outage = Outage(_log, DELIVERIES_NOT_ENQUEUED)

    def look(self) -> None:
        """Look now: a delivery was recorded, or one was handled and there is room."""
        self._news.set()

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Enqueue until the block ends."""
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait({task})

    async def _run(self) -> None:
        while True:
            self._news.clear()
            try:
                while await self._deliveries.enqueue(self._enqueuing, at_once=_AT_ONCE, most=_MOST):
                    pass
                self._outage.is_over()
            except (DatabaseError, Paused) as error:
                self._outage.goes_on(error)
            except Exception:  # noqa: BLE001 -- nobody else would enqueue what comes next
                _log.exception(DELIVERIES_NOT_ENQUEUED)
            with suppress(TimeoutError):
                async with asyncio.timeout(self._interval):
                    await self._news.wait()

    def _enqueuing(self, delivery_id: DeliveryId) -> Enqueuing:
        return self._engine.enqueuer(
            HANDLE_DELIVERY,
            queue=DELIVERIES,
            workflow_id=workflow_of_delivery(delivery_id),
            argument=delivery_id,
        )


def workflow_of_delivery(delivery_id: DeliveryId) -> str:
    """Return the id of the workflow that handles a delivery."""
    return f"delivery/{delivery_id}"
