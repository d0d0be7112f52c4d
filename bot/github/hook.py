"""The App's webhook, seen from GitHub: which deliveries failed, and having one made again.

https://docs.github.com/rest/apps/webhooks. GitHub keeps deliveries for three days and makes none
again by itself.
"""

from __future__ import annotations

from contextlib import aclosing
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.github.answers import DeliveryAttempt, read
from bot.github.calls import PER_PAGE, Call

if TYPE_CHECKING:
    from datetime import datetime

    from bot.github.calls import Calls
    from bot.github.tokens import AppToken

KEPT = timedelta(days=3)
"""How long GitHub keeps a delivery: an older one cannot be made again."""

_FIRST_BAD = 400


class Hook:
    """The webhook of the App. Every method raises GitHubError."""

    def __init__(self, calls: Calls, app: AppToken) -> None:
        """Speak as the App itself."""
        self._calls = calls
        self._app = app

    async def failed_since(self, moment: datetime) -> list[DeliveryAttempt]:
        """Return the tries that failed since then, newest first."""
        call = Call(
            method="GET",
            url=f"/app/hook/deliveries?per_page={PER_PAGE}&status=failure",
            bearer=self._app,
        )
        failed: list[DeliveryAttempt] = []
        async with aclosing(self._calls.walk(call)) as pages:
            async for page in pages:
                attempts = [read(DeliveryAttempt, item) for item in page]
                failed += [one for one in attempts if one.delivered_at >= moment and _failed(one)]
                if not attempts or attempts[-1].delivered_at < moment:
                    break
        return failed

    async def redeliver(self, attempt_id: int) -> None:
        """Have an event delivered again, under the same GUID; a second time does no harm.

        Raise GitHubRejected when GitHub does not have it any more.
        """
        call = Call(
            method="POST",
            url="/app/hook/deliveries/{attempt_id}/attempts",
            fields={"attempt_id": attempt_id},
            bearer=self._app,
            repeatable=True,
        )
        await self._calls.send(call)


def _failed(attempt: DeliveryAttempt) -> bool:
    """An older GitHub Enterprise does not know ``status``, and lists every delivery."""
    return attempt.status_code >= _FIRST_BAD or attempt.status_code == 0
