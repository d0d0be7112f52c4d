"""dbos itself: its client, its start, its end, and its errors as ours."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dbos import DBOS, DBOSClient, DBOSPortableJSONSerializer, error as dbos_errors
from sqlalchemy.exc import DBAPIError, ProgrammingError, TimeoutError as NoneFree

from bot.errors import ConfigurationError, DatabaseUnavailable

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from datetime import timedelta

APPLICATION = "ptq"
APPLICATION_VERSION = "1"
"""Constant: dbos would hash the code, and any edit would strand the running jobs."""

MOST_TRIES = 10_000
"""How often a workflow is taken up. dbos gives up after a hundred, which a supervisor that starts
a process again and again reaches in minutes, for every job and delivery that has not ended."""

_MOST_RECOVERED = 1000
"""Unfinished workflows that are looked through at once for those whose process is gone."""


@dataclass(frozen=True, slots=True)
class Queue:
    """Where workflows wait to be run, and how many of them at once in each process."""

    name: str
    at_once: int | None = None


async def open_client(url: str, queues: Sequence[Queue], *, poll: timedelta) -> DBOSClient:
    """Return a client of the database with these queues in it; errors as ``starting`` has them."""
    client = DBOSClient(
        system_database_url=url,
        serializer=DBOSPortableJSONSerializer(),
        application_name=APPLICATION,
        lazy=True,
        retry_connection_errors=False,
    )
    for queue in queues:
        await client.register_queue_async(
            queue.name,
            worker_concurrency=queue.at_once,
            polling_interval_sec=poll.total_seconds(),
        )
    return client


async def recover(client: DBOSClient, executor_ids: Sequence[str]) -> list[str]:
    """Queue again what these executors had begun; return those that had begun anything.

    Raise DatabaseUnavailable.
    """
    with answering():
        begun = await client.list_workflows_async(
            status="PENDING",
            executor_id=list(executor_ids),
            limit=_MOST_RECOVERED,
            load_input=False,
            load_output=False,
        )
    owners = sorted({owner.executor_id for owner in begun if owner.executor_id is not None})
    if owners:
        # Private, and the only way that leaves a workflow as it was queued.
        await asyncio.to_thread(DBOS._recover_pending_workflows, owners)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] -- as said; tests/test_takeover.py holds it
    return owners


async def take_up_again(client: DBOSClient, workflow_id: str, queue: Queue) -> None:
    """Put a workflow of this process back into its queue that dbos has let go of, unended.

    Raise DatabaseUnavailable.
    """
    with answering():
        await client.resume_workflow_async(workflow_id, queue_name=queue.name)


async def destroy(client: DBOSClient) -> None:
    """End dbos and the client; the event loop has an executor of its own again."""
    loop = asyncio.get_running_loop()
    # dbos had put its own one here, and shuts it down under whoever needs a thread meanwhile.
    loop.set_default_executor(ThreadPoolExecutor())
    apart = ThreadPoolExecutor(1)
    await loop.run_in_executor(apart, client.destroy)
    await loop.run_in_executor(apart, lambda: DBOS.destroy(destroy_registry=True))
    apart.shutdown(wait=False)


@contextmanager
def starting() -> Generator[None]:
    """Raise ConfigurationError, with what to do, when the engine's tables are missing or old."""
    try:
        with answering():
            yield
    except (dbos_errors.DBOSInitializationError, ProgrammingError) as error:
        raise ConfigurationError(
            "the tables of the engine are not those that this ptq needs: run `ptq db upgrade`"
        ) from error


@contextmanager
def answering() -> Generator[None]:
    """Raise DatabaseUnavailable when there is no connection."""
    try:
        yield
    except ProgrammingError:
        raise
    except (DBAPIError, NoneFree) as error:
        raise DatabaseUnavailable("the engine's database does not answer") from error
