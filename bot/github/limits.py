"""After a failed call: wait and try again, or give up. Pure: no clock, no network.

The rules are GitHub's (https://docs.github.com/rest/using-the-rest-api/, best practices and rate
limits): wait for ``retry-after``, else until ``x-ratelimit-reset`` when nothing remains, else at
least a minute and exponentially longer.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_TRIES = 5
"""How often a call is sent that fails for another reason than a rate limit."""

_SECONDARY = ("secondary rate limit", "abuse detection")
_MINUTE = timedelta(minutes=1)
_LONGEST_BACKOFF = 30.0
_FORBIDDEN = 403
_TOO_MANY = 429
_FIRST_SERVER_ERROR = 500


@dataclass(eq=False)
class CallFailed(Exception):
    """One request did not end well: an answer from 300 on, or no answer at all."""

    status: int | None
    message: str
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    may_have_arrived: bool = True

    def __str__(self) -> str:
        """Say what GitHub said."""
        return self.message

    @property
    def is_limit(self) -> bool:
        """Whether GitHub refused because of too many requests, and did nothing."""
        if self.status == _TOO_MANY:
            return True
        if self.status != _FORBIDDEN:
            return False
        if "retry-after" in self.headers or self.headers.get("x-ratelimit-remaining") == "0":
            return True
        return any(phrase in self.message.lower() for phrase in _SECONDARY)

    @property
    def is_passing(self) -> bool:
        """Whether the same request may go well later."""
        return self.status is None or self.status >= _FIRST_SERVER_ERROR or self.is_limit


def delay(failure: CallFailed, *, tries: int, repeatable: bool, now: datetime) -> timedelta | None:
    """Return how long to wait before the next try, or None to give up after ``tries``."""
    if failure.is_limit:
        return _limit_ends(failure, tries=tries, now=now)
    if not failure.is_passing or tries >= MAX_TRIES:
        return None
    if failure.may_have_arrived and not repeatable:
        return None
    jitter = random.uniform(0.5, 1.0)  # noqa: S311 -- spreads retries, keeps no secret
    return timedelta(seconds=min(_LONGEST_BACKOFF, 2.0 ** (tries - 1)) * jitter)


def _limit_ends(failure: CallFailed, *, tries: int, now: datetime) -> timedelta:
    after = failure.headers.get("retry-after", "")
    if after.isdecimal():
        return timedelta(seconds=int(after))
    reset = failure.headers.get("x-ratelimit-reset", "")
    if failure.headers.get("x-ratelimit-remaining") == "0" and reset.isdecimal():
        left = datetime.fromtimestamp(int(reset), UTC) - now
        return max(left, timedelta(0)) + timedelta(seconds=1)
    return _MINUTE * 2 ** (tries - 1)
