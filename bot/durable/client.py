"""Workflows put into queues, in the caller's own transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from dbos import DBOSClient, DBOSPortableJSONSerializer

from bot.durable.library import APPLICATION, APPLICATION_VERSION

if TYPE_CHECKING:
    import sqlalchemy as sa

    from bot.durable.library import Queue

Enqueuing = Callable[["sa.Connection"], None]
"""Enqueues one workflow in the transaction of its caller."""


class Client:
    """Enqueues workflows that another process runs; nothing is launched here."""

    def __init__(self, url: str) -> None:
        """Enqueue in this database; its tables must be there."""
        self._client = DBOSClient(
            system_database_url=url,
            serializer=DBOSPortableJSONSerializer(),
            application_name=APPLICATION,
            lazy=True,
        )

    def enqueuer(
        self, workflow: str, *, queue: Queue, workflow_id: str, argument: str
    ) -> Enqueuing:
        """Do as ``Engine.enqueuer``."""
        return enqueuer(self._client, workflow, queue, workflow_id, argument)

    async def close(self) -> None:
        """Close its connections."""
        await asyncio.to_thread(self._client.destroy)


def enqueuer(
    client: DBOSClient, workflow: str, queue: Queue, workflow_id: str, argument: str
) -> Enqueuing:
    """Return what enqueues the workflow in a transaction; one that is known stays as it is."""

    def enqueue(connection: sa.Connection) -> None:
        client.enqueue_in_transaction(
            connection,
            {
                "workflow_name": workflow,
                "queue_name": queue.name,
                "workflow_id": workflow_id,
                "app_version": APPLICATION_VERSION,
            },
            argument,
        )

    return enqueue
