"""The fence of a process that shares its work: it may write only for a while after a heartbeat.

A process that was frozen wakes up in the middle of a line and knows nothing of the time between.
So whatever is written (to GitHub, a machine, the database) asks here immediately before. The time
is that of a clock which goes on while the computer sleeps.
"""

from __future__ import annotations

import asyncio
import math
import time
from typing import TYPE_CHECKING

from bot.errors import Fenced

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def elapsed() -> float:
    """Return seconds on a clock that no one sets and that goes on while the computer sleeps."""
    return time.clock_gettime(_CLOCK)


class Fence:
    """Open while the last heartbeat is young enough; without a limit it is always open."""

    def __init__(
        self, limit: timedelta | None = None, *, clock: Callable[[], float] = elapsed
    ) -> None:
        """Open for ``limit`` after each heartbeat; closed until the first one."""
        self._limit = math.inf if limit is None else limit.total_seconds()
        self._until = math.inf if limit is None else -math.inf
        self._renewed = asyncio.Event()
        self.clock = clock

    @property
    def is_open(self) -> bool:
        """Whether this process may write."""
        return self.clock() < self._until

    def check(self) -> None:
        """Raise Fenced when this process may not write; immediately before each writing."""
        if not self.is_open:
            raise Fenced("no heartbeat got through for a while: another process may have the work")

    def renew(self, *, sent: float) -> None:
        """Open it: a heartbeat that was sent at this time (of ``clock``) got through."""
        self._until = max(self._until, sent + self._limit)
        self._renewed.set()

    def close(self) -> None:
        """Close it until the next heartbeat: this process was taken over."""
        self._until = -math.inf

    async def opened(self) -> None:
        """Wait until it is open."""
        while not self.is_open:
            self._renewed.clear()
            await self._renewed.wait()
