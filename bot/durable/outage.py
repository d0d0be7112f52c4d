"""How long a step has waited by now for what does not answer; it is counted over restarts.

Who is restarted again and again, in a deploy or by a supervisor, must not begin to count anew each
time: a job on a machine that is dead for good would never move.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from bot.errors import Paused

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

MOST = timedelta(minutes=2)
"""What one try and the pause before it count for, at most: the process may have been frozen."""


class OutageBook(Protocol):
    """Where it is written down (``bot.store.Outages``); each raises Paused."""

    async def spent(self, step: str) -> float:
        """Return for how many seconds a step has waited; 0 for one that is not known."""
        ...

    async def spend(self, step: str, seconds: float) -> None:
        """Write down for how many it has waited in all."""
        ...

    async def forget(self, step: str) -> None:
        """Forget it: the step has ended, or what was away has answered."""
        ...


class Forgetful:
    """A book for a process whose steps nobody takes up after it."""

    async def spent(self, step: str) -> float:
        """Know nothing."""
        del step
        return 0.0

    async def spend(self, step: str, seconds: float) -> None:
        """Write nothing."""

    async def forget(self, step: str) -> None:
        """Forget nothing."""


class Outage:
    """What keeps one step from being done, from its first failure on."""

    def __init__(
        self, step: str, book: OutageBook, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Know the step by an id that is the same after a restart."""
        self._step = step
        self._book = book
        self._clock = clock
        self._before: float | None = None
        """Seconds that earlier processes waited; None until that was read."""
        self._here = 0.0
        self._failed_at: float | None = None
        self._is_written = False
        self._answered = asyncio.Event()

    @property
    def spent(self) -> timedelta:
        """For how long it goes on, as far as somebody tried."""
        return timedelta(seconds=(self._before or 0.0) + self._here)

    async def goes_on(self) -> None:
        """Count a try that failed."""
        now = self._clock()
        if self._answered.is_set():
            self._answered.clear()
            self._before, self._here = 0.0, 0.0
        elif self._failed_at is not None:
            self._here += min(now - self._failed_at, MOST.total_seconds())
        self._failed_at = now
        with suppress(Paused):
            if self._before is None:
                self._before = await self._book.spent(self._step)
            await self._book.spend(self._step, self.spent.total_seconds())
            self._is_written = True

    async def ended(self) -> None:
        """Forget it: the step is done, or given up. One that is left is pruned when it is old."""
        if self._is_written:
            with suppress(Paused):
                await self._book.forget(self._step)

    def answered(self) -> None:
        """Note that what was away is there: whatever comes is another outage."""
        self._answered.set()

    @contextmanager
    def watched(self) -> Generator[None]:
        """Listen to ``answered`` in the block, and forget at once what an earlier process wrote."""
        clearing = asyncio.create_task(self._clear())
        context = _current.set(self)
        try:
            yield
        finally:
            _current.reset(context)
            clearing.cancel()

    async def _clear(self) -> None:
        await self._answered.wait()
        with suppress(Paused):
            await self._book.forget(self._step)


_current: ContextVar[Outage | None] = ContextVar("outage", default=None)


def answered() -> None:
    """Say in a step that runs for long that what it needs has answered just now.

    Only where it comes further by each answer: a step that begins from the start each time would
    never lose its patience with a machine that always dies in the middle.
    """
    outage = _current.get()
    if outage is not None:
        outage.answered()
