"""Deliveries that nobody handles any more: their workflow has ended, or is gone, and they wait.

It takes a bug of ours, or a record that was deleted. Each is handled anew, from the start: what was
done before is found. One that has waited for long is given up: it would keep room from others.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from bot.intake.queueing import workflow_of_delivery
from bot.sweeper.apart import apart

if TYPE_CHECKING:
    from bot.durable import Engine
    from bot.models import DeliveryId
    from bot.store import QueuedDeliveries

DELIVERY_LOST = "delivery_lost"

LONGEST = timedelta(hours=6)
"""After its arrival a delivery is not tried again: whoever asked does not wait for it any more."""
PROBLEM = "its handling was lost"

_log = structlog.stdlib.get_logger(__name__)


class LostDeliveries:
    """The pass over the deliveries that were enqueued and are not handled."""

    def __init__(self, engine: Engine, deliveries: QueuedDeliveries) -> None:
        """Ask this engine which of them are still being handled."""
        self._engine = engine
        self._deliveries = deliveries

    async def run(self) -> dict[str, int]:
        """Have those handled again that are lost; return how many there were."""
        queued = await self._deliveries.all()
        names = {workflow_of_delivery(delivery_id): delivery_id for delivery_id in queued}
        living = await self._engine.unended(list(names))
        lost = {name: self._again(name, names[name], queued) for name in set(names) - living}
        return {"lost": await apart(lost)}

    async def _again(
        self, workflow: str, delivery_id: DeliveryId, queued: dict[DeliveryId, datetime]
    ) -> bool:
        is_young = queued[delivery_id] > datetime.now(UTC) - LONGEST
        # Before the row: a known workflow would not be enqueued.
        await self._engine.forget(workflow)
        is_lost = await self._deliveries.give_back(delivery_id, None if is_young else PROBLEM)
        if is_lost:
            _log.error(DELIVERY_LOST, delivery=delivery_id, is_tried_again=is_young)
        return is_lost
