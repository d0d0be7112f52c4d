"""Deliveries that failed are made again: GitHub does not do that by itself.

It covers whatever came while the service was down or answered 5xx, labels too. A delivery made
again keeps its GUID, so one that was recorded after all counts once.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from bot.errors import GitHubRejected
from bot.github.hook import KEPT
from bot.github.webhook import USED
from bot.models import DeliveryId

if TYPE_CHECKING:
    from bot.github import Hook
    from bot.store import FailedDeliveries, Watermarks

REDELIVERY_REFUSED = "redelivery_refused"

MAX_TRIES = 10
"""The pause doubles after each: with the default of five minutes the last is on the second day."""
OVERLAP = timedelta(minutes=10)
"""Read again before the watermark: GitHub lists a delivery some time after it was made."""

_MARK = "deliveries"
_AT_ONCE = 100
"""Redeliveries of one pass."""

_log = structlog.stdlib.get_logger(__name__)


class Redelivering:
    """The pass over the App's failed deliveries."""

    def __init__(
        self, hook: Hook, failed: FailedDeliveries, watermarks: Watermarks, *, every: timedelta
    ) -> None:
        """Wait ``every`` after the first try, and twice as long after each further one."""
        self._hook = hook
        self._failed = failed
        self._watermarks = watermarks
        self._every = every

    async def run(self) -> dict[str, int]:
        """Find what failed, and have made again what is due; raise GitHubError."""
        found = await self._find()
        arrived = await self._failed.forget_recorded()
        given_up = await self._failed.forget_older(datetime.now(UTC) - KEPT)
        redelivered = await self._redeliver()
        return {
            "found": found,
            "arrived": arrived,
            "redelivered": redelivered,
            "given_up": given_up,
        }

    async def _find(self) -> int:
        now = datetime.now(UTC)
        mark = (await self._watermarks.read([_MARK])).get(_MARK, now - KEPT)
        found = 0
        for attempt in await self._hook.failed_since(max(mark - OVERLAP, now - KEPT)):
            if attempt.event in USED:
                found += await self._failed.note(
                    DeliveryId(attempt.guid),
                    attempt_id=attempt.id,
                    failed_at=attempt.delivered_at,
                )
        await self._watermarks.move(_MARK, now)
        return found

    async def _redeliver(self) -> int:
        done = 0
        for failed in await self._failed.due(tries=MAX_TRIES, limit=_AT_ONCE):
            pause = self._every * 2**failed.tries
            await self._failed.count_try(failed.id, next_at=datetime.now(UTC) + pause)
            try:
                await self._hook.redeliver(failed.attempt_id)
            except GitHubRejected as error:
                _log.warning(REDELIVERY_REFUSED, delivery=failed.id, reason=str(error))
                await self._failed.give_up(failed.id, tries=MAX_TRIES)
            else:
                done += 1
        return done
