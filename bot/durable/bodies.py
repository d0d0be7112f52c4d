"""The bodies of workflows that run in this process: counted, and taken up again when one breaks.

When the engine's own database refuses to record (its disk is full, it is locked for long), dbos
leaves the workflow as begun, and nobody carries it out before the next start.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog
from dbos import DBOS
from sqlalchemy.exc import SQLAlchemyError

from bot.durable.library import Queue, take_up_again
from bot.errors import Paused

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import timedelta

    from dbos import DBOSClient

    from bot.fence import Fence

WORKFLOW_BROKE = "workflow_broke"
"""What it did could not be recorded; it is taken up again."""

_PAUSE = 1.0
"""Seconds before a workflow is put into its queue again, and between tries of that."""
_log = structlog.stdlib.get_logger(__name__)


class Bodies:
    """Those that run now."""

    def __init__(self, fence: Fence) -> None:
        """Take up again what breaks while the ``fence`` is open."""
        self._fence = fence
        self.unfinished = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._mending: set[asyncio.Task[None]] = set()
        self._client: DBOSClient | None = None

    def begin(self, client: DBOSClient) -> None:
        """Put what breaks from now on into its queue through this client."""
        self._client = client

    def end(self) -> None:
        """Leave what breaks from now on to the next start, or to another process."""
        self._client = None
        for task in self._mending:
            task.cancel()

    async def are_idle_within(self, limit: timedelta) -> bool:
        """Wait until none runs; say whether that came to be."""
        try:
            async with asyncio.timeout(limit.total_seconds()):
                await self._idle.wait()
        except TimeoutError:
            return False
        return True

    def counted(
        self, name: str, body: Callable[..., Awaitable[None]], queue: Queue
    ) -> Callable[[str], Awaitable[None]]:
        """Return the body as the engine runs it."""

        async def run(argument: str) -> None:
            self.unfinished += 1
            self._idle.clear()
            try:
                await body(argument)
            except SQLAlchemyError as error:
                _log.exception(WORKFLOW_BROKE, workflow=DBOS.workflow_id)
                self._mend(str(DBOS.workflow_id), queue)
                # As after a crash: it must not be recorded as ended in this way.
                raise asyncio.CancelledError from error
            finally:
                self.unfinished -= 1
                if self.unfinished == 0:
                    self._idle.set()

        run.__name__ = run.__qualname__ = name
        return run

    def _mend(self, workflow_id: str, queue: Queue) -> None:
        if self._client is not None:
            task = asyncio.create_task(self._take_up_again(self._client, workflow_id, queue))
            self._mending.add(task)
            task.add_done_callback(self._mending.discard)

    async def _take_up_again(self, client: DBOSClient, workflow_id: str, queue: Queue) -> None:
        is_queued = False
        while not is_queued:
            await asyncio.sleep(_PAUSE)
            # While it is open, nobody else has this process's work.
            await self._fence.opened()
            try:
                await take_up_again(client, workflow_id, queue)
                is_queued = True
            except Paused:
                continue
