"""The processes that share the work on Postgres: each says that it lives, and watches the others.

Every start of a process is a worker with an id of its own. One that was silent for too long is
taken over for ever: its row becomes a tombstone, and what it had begun is queued again. If it was
only frozen, its fence is closed when it wakes up; it finds the tombstone at its next heartbeat,
drops everything, and starts anew in the same process as another worker.
"""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import socket
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from bot.errors import Paused

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from bot.durable import Engine
    from bot.fence import Fence
    from bot.settings import WorkerSettings
    from bot.store import Workers

WORKER_JOINED = "worker_joined"
WORKER_LEFT = "worker_left"
WORKER_TAKEN_OVER = "worker_taken_over"
"""Another one was silent; what it had begun goes on here or elsewhere."""
WORK_RECOVERED = "work_recovered"
WORKER_LOST = "worker_lost"
"""This process was silent, and another has its work: it starts anew."""
HEARTBEAT_FAILED = "heartbeat_failed"

REMEMBERED = timedelta(days=7)
"""How long tombstones stay: a process may wake up and find its own."""

_AFTER_DEATH = timedelta(seconds=2)
"""For steps to take back what they were about to make; nothing else passes the fence."""

_log = structlog.stdlib.get_logger(__name__)


class Worker:
    """This process among those that share the work."""

    def __init__(
        self,
        engine: Engine,
        workers: Workers,
        fence: Fence,
        settings: WorkerSettings,
        *,
        dropping: Callable[[], Awaitable[None]],
    ) -> None:
        """Run this engine while the heartbeats get through, and keep the fence open by them.

        ``dropping`` ends the connections to machines when this process was taken over.
        """
        self._engine = engine
        self._workers = workers
        self._fence = fence
        self._settings = settings
        self._dropping = dropping
        self._id = ""
        self._heard = 0.0
        self._may_judge_at = 0.0
        self._is_ending = False
        self._turning = asyncio.Lock()
        """Held while the engine is stopped or started."""

    @asynccontextmanager
    async def working(self, *, grace: timedelta) -> AsyncGenerator[None]:
        """Take part until the block ends; steps that run then have the ``grace``."""
        await self._begin()
        keeping = asyncio.create_task(self._keep())
        try:
            yield
        finally:
            self._is_ending = True
            try:
                async with self._turning:
                    await self._engine.close(grace=grace)
            finally:
                keeping.cancel()
                await asyncio.wait({keeping})
            await self._leave()

    async def _begin(self) -> None:
        self._id = new_id()
        sent = self._fence.clock()
        await self._workers.join(self._id, host=socket.gethostname(), process=os.getpid())
        self._heard = sent
        self._fence.renew(sent=sent)
        await self._engine.launch(self._id)
        _log.info(WORKER_JOINED, worker=self._id)

    async def _keep(self) -> None:
        """Say that this process lives, and look after the others, until it ends."""
        while True:
            await asyncio.sleep(self._settings.heartbeat.total_seconds())
            try:
                if self._is_ending:
                    # What still has its grace must not be taken over, nor may anything begin.
                    await self._beat()
                elif self._engine.is_running and await self._beat():
                    await self._look_after_others()
                else:
                    await self._begin_anew()
            except Paused as error:
                _log.warning(HEARTBEAT_FAILED, reason=str(error), worker=self._id)
            except Exception:  # noqa: BLE001 -- without heartbeats the process is of no use
                _log.exception(HEARTBEAT_FAILED, worker=self._id)

    async def _beat(self) -> bool:
        sent = self._fence.clock()
        if not await self._workers.beat(self._id):
            return False
        silence = self._settings.silence.total_seconds()
        if sent - self._heard > silence / 2:
            # Nobody could say anything while the database was away: they get the time to.
            self._may_judge_at = sent + silence
        self._heard = sent
        self._fence.renew(sent=sent)
        return True

    async def _look_after_others(self) -> None:
        if self._fence.clock() >= self._may_judge_at:
            for taken in await self._workers.take_over(self._settings.silence, by=self._id):
                _log.warning(WORKER_TAKEN_OVER, taken=taken, worker=self._id)
        # Each time: whoever took one over may have died before it came to this.
        recovered = await self._engine.recover(await self._workers.gone())
        if recovered:
            _log.info(WORK_RECOVERED, of=recovered, worker=self._id)
        await self._workers.forget(REMEMBERED)

    async def _begin_anew(self) -> None:
        """Drop everything, and come back as another worker; tried again with the next heartbeat."""
        self._fence.close()
        async with self._turning:
            if self._engine.is_running:
                _log.error(WORKER_LOST, worker=self._id)
                await self._engine.close(grace=_AFTER_DEATH)
                await self._dropping()
            if not self._is_ending:
                await self._begin()

    async def _leave(self) -> None:
        try:
            await self._workers.leave(self._id)
        except Paused as error:
            # The others will miss its heartbeats.
            _log.warning(HEARTBEAT_FAILED, reason=str(error), worker=self._id)
        else:
            _log.info(WORKER_LEFT, worker=self._id)


def new_id() -> str:
    """Return an id that no worker had before, with the host's name for people."""
    host = re.sub(r"[^A-Za-z0-9.-]", "-", socket.gethostname())[:64]
    return f"{host}-{secrets.token_hex(6)}"
