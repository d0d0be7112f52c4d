"""The difference between our clock and GitHub's, which decides whether it takes our tokens."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import aiohttp

if TYPE_CHECKING:
    from datetime import timedelta

    from bot.settings import GitHubSettings


async def ahead_of_github(
    settings: GitHubSettings, session: aiohttp.ClientSession
) -> timedelta | None:
    """Return how far our clock is ahead of GitHub's, to a second; None when it does not say.

    Any answer tells it in its ``Date``, also one that refuses.
    """
    limit = aiohttp.ClientTimeout(total=settings.timeout.total_seconds())
    try:
        async with session.head(settings.api_url, timeout=limit) as answer:
            theirs = parsedate_to_datetime(answer.headers.get("Date", ""))
    except (aiohttp.ClientError, TimeoutError, ValueError):
        return None
    return datetime.now(UTC) - theirs
