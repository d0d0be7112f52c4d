"""The engine of durable workflows: the only door of dbos, so that it could be replaced.

A workflow is a function that decides only from what its steps return. A step's result is recorded;
after a crash the workflow runs again from the top and gets the recorded results. A step may still
run twice (the process died between doing and recording), so each finds what it made before.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import stamina
import structlog
from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer
from pydantic import TypeAdapter

from bot import errors
from bot.durable import records
from bot.durable.bodies import Bodies
from bot.durable.client import Enqueuing, enqueuer
from bot.durable.library import (
    APPLICATION,
    APPLICATION_VERSION,
    MOST_TRIES,
    Queue,
    destroy,
    open_client,
    recover,
    starting,
)
from bot.durable.outage import Forgetful, Outage, OutageBook
from bot.durable.patience import ONCE, Patience, patiently
from bot.errors import Paused, PtqError, StepBroke
from bot.fence import Fence

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from datetime import datetime

    from dbos import DBOSClient

T = TypeVar("T")

STEP_BROKE = "step_broke"
STEP_PAUSED = "step_paused"
ENGINE_STOPPED = "engine_stopped"


_THREADS = 16
_AFTER_CANCELLING = timedelta(seconds=1)
_PAUSES = (0.1, 0.3, 1.0, 3.0)
"""Seconds before a paused step is tried again; the last from then on."""
_LIBRARY = "dbos"
_NOWHERE = logging.NullHandler()
_log = structlog.stdlib.get_logger(__name__)


class Engine:
    """Run workflows so that they survive the process."""

    def __init__(
        self,
        url: str,
        *,
        executor_id: str,
        poll: timedelta,
        fence: Fence | None = None,
        idle: timedelta | None = None,
        outages: OutageBook | None = None,
    ) -> None:
        """Keep the workflows in this database; ``poll`` is how often queues are looked at.

        ``executor_id`` names this process; after a crash the same id goes on with its workflows.
        Steps wait while the ``fence`` is closed. Postgres ends a transaction whose process is
        silent for ``idle``. For how long steps were patient stands in ``outages``.
        """
        self._url = url
        self._config: DBOSConfig = {
            "name": APPLICATION,
            "system_database_url": url,
            "application_version": APPLICATION_VERSION,
            "executor_id": executor_id,
            "serializer": DBOSPortableJSONSerializer(),
            "max_executor_threads": _THREADS,
            "notification_listener_polling_interval_sec": min(1.0, poll.total_seconds()),
            "log_level": "WARNING",
            "run_migrations": False,
        }
        if idle is not None:
            self._config["sys_db_idle_transaction_timeout_sec"] = idle.total_seconds()
        self._poll = poll
        self._fence = fence or Fence()
        self._outages = outages or Forgetful()
        self._queues: list[Queue] = []
        self._known: dict[str, tuple[Callable[..., Awaitable[None]], Queue]] = {}
        self._bodies = Bodies(self._fence)
        self._client: DBOSClient | None = None
        self._is_draining = False
        self._steps: dict[asyncio.Task[Any], bool] = {}

    def register(self, name: str, body: Callable[..., Awaitable[None]], *, queue: Queue) -> None:
        """Add a workflow under the name that its records keep; before ``launch`` only."""
        self._known[name] = body, queue
        if queue not in self._queues:
            self._queues.append(queue)

    async def upgrade(self) -> None:
        """Bring the engine's own tables to the version it needs."""
        await asyncio.to_thread(DBOS.migrate, self._url)

    async def launch(self, executor_id: str | None = None) -> None:
        """Start running what is queued, and go on with what a dead process left.

        After ``close`` it may be launched again, as another executor.
        """
        with starting():
            client = await open_client(self._url, self._queues, poll=self._poll)
        # Retries are logged here; stamina's own hooks would be looked for in a step.
        stamina.instrumentation.set_on_retry_hooks([])
        # dbos would write to standard error by itself, around our log and what it leaves out.
        library = logging.getLogger(_LIBRARY)
        library.addHandler(_NOWHERE)
        config = self._config.copy()
        if executor_id is not None:
            config["executor_id"] = executor_id
        DBOS(config=config)
        for name, (body, queue) in self._known.items():
            counted = self._bodies.counted(name, body, queue)
            DBOS.workflow(name=name, max_recovery_attempts=MOST_TRIES)(counted)
        self._bodies.begin(client)
        self._is_draining = False
        try:
            with starting():
                DBOS.launch()
        except PtqError:
            self._bodies.end()
            await destroy(client)
            raise
        library.propagate = True
        library.setLevel(logging.WARNING)
        self._client = client

    async def recover(self, executor_ids: Sequence[str]) -> int:
        """Queue again what executors had begun that are gone for good; return how many had any.

        They never come back: what one of them still does is not recorded. Two that ask at once
        queue it once. Raise DatabaseUnavailable.
        """
        client = self._client
        if client is None or not executor_ids:
            return 0
        return len(await recover(client, executor_ids))

    @property
    def is_running(self) -> bool:
        """Whether workflows are taken from the queues."""
        return self._client is not None and not self._is_draining

    @property
    def is_ready(self) -> bool:
        """Whether it runs, and this process may write what its workflows do."""
        return self.is_running and self._fence.is_open

    async def close(self, *, grace: timedelta) -> None:
        """Stop: steps that only wait end at once, others may finish within ``grace``.

        What did not finish is not recorded: it runs again after the next launch.
        """
        self._is_draining = True
        client, self._client = self._client, None
        if client is None:
            return
        self._bodies.end()
        library = logging.getLogger(_LIBRARY)
        # It warns of every step that is interrupted, which is what was asked for.
        library.setLevel(logging.ERROR)
        for step, waits in self._steps.items():
            if waits:
                step.cancel()
        if not await self._bodies.are_idle_within(grace):
            for step in self._steps:
                step.cancel()
            await self._bodies.are_idle_within(_AFTER_CANCELLING)
        _log.info(ENGINE_STOPPED, interrupted=self._bodies.unfinished)
        await destroy(client)
        library.setLevel(logging.WARNING)

    def enqueuer(
        self, workflow: str, *, queue: Queue, workflow_id: str, argument: str
    ) -> Enqueuing:
        """Return what enqueues the workflow in the caller's own transaction.

        A workflow id that is known already is not enqueued again.
        """
        client = self._client
        if client is None:
            raise Paused("the engine of durable jobs is stopped, or about to start")
        return enqueuer(client, workflow, queue, workflow_id, argument)

    async def unended(self, workflow_ids: Sequence[str]) -> set[str]:
        """Return those of the workflows that wait or run: the others have ended, or are gone."""
        client = self._client
        if client is None or not workflow_ids:
            return set(workflow_ids)
        return await records.unended(client, workflow_ids)

    async def forget(self, workflow_id: str) -> None:
        """Delete a workflow's record, so that it can be enqueued anew; fine when it is gone."""
        if self._client is not None:
            await records.forget(self._client, workflow_id)

    async def delete_ended(self, before: datetime) -> int:
        """Delete the records of workflows that began before and have ended; return how many."""
        return 0 if self._client is None else await records.delete_ended(self._client, before)

    async def step(
        self,
        name: str,
        work: Callable[[], Awaitable[T]],
        *,
        returns: type[T],
        patience: Patience = ONCE,
        waits: bool = False,
    ) -> T:
        """Do ``work`` once and record what it returned; recorded already, return that.

        Errors of ours are recorded too, and raised again by their class. ``waits`` marks a step
        that may take hours and loses nothing when it is interrupted.
        """
        adapter: TypeAdapter[T] = TypeAdapter(returns)

        async def recorded() -> dict[str, Any]:
            self._require_running()
            outage = Outage(f"{DBOS.workflow_id}/{DBOS.step_id}", self._outages)
            attempt = asyncio.ensure_future(self._until_possible(name, work, patience, outage))
            self._steps[attempt] = waits
            try:
                return {"value": adapter.dump_python(await attempt, mode="json")}
            except PtqError as error:
                return {"error": [type(error).__name__, str(error)]}
            except Exception as error:  # noqa: BLE001 -- the job must end and release its machine
                _log.exception(STEP_BROKE, step=name)
                return {"error": [StepBroke.__name__, type(error).__name__]}
            finally:
                self._steps.pop(attempt, None)
                attempt.cancel()

        # Before dbos hears of it too: half stopped, it would end the workflow as broken.
        self._require_running()
        outcome = await DBOS.run_step_async({"name": name}, recorded)
        if "error" in outcome:
            raise _revived(*outcome["error"])
        return adapter.validate_python(outcome["value"])

    def _require_running(self) -> None:
        """Leave the workflow as after a crash when the engine stops."""
        if self._is_draining:
            raise asyncio.CancelledError

    async def _until_possible(
        self, name: str, work: Callable[[], Awaitable[T]], patience: Patience, outage: Outage
    ) -> T:
        """Wait out what is nobody's fault: the database is away, or the fence is closed."""
        tries = 0
        while True:
            try:
                return await patiently(name, work, patience, outage)
            except Paused as error:
                _log.warning(STEP_PAUSED, step=name, reason=str(error), tries=tries + 1)
            await asyncio.sleep(_PAUSES[min(tries, len(_PAUSES) - 1)])
            await self._fence.opened()
            tries += 1


def _revived(name: str, text: str) -> PtqError:
    """Return an error as it was recorded; a class that is gone becomes its base."""
    kind: type[PtqError] = getattr(errors, name, PtqError)
    error = kind.__new__(kind)
    PtqError.__init__(error, text)
    return error
