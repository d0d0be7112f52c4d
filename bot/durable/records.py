"""What dbos recorded of workflows: which have not ended, and the records of those that have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.durable.library import answering

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from dbos import DBOSClient

_LIVING = ["ENQUEUED", "DELAYED", "PENDING"]
_ENDED = ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]
_BATCH = 50
"""Workflows deleted at a time; each holds the results of its steps."""


async def unended(client: DBOSClient, workflow_ids: Sequence[str]) -> set[str]:
    """Return those that wait or run; raise DatabaseUnavailable."""
    with answering():
        found = await client.list_workflows_async(
            workflow_ids=list(workflow_ids), status=_LIVING, load_input=False, load_output=False
        )
    return {workflow.workflow_id for workflow in found}


async def forget(client: DBOSClient, workflow_id: str) -> None:
    """Delete the record of a workflow; raise DatabaseUnavailable."""
    with answering():
        await client.delete_workflows_async([workflow_id])


async def delete_ended(client: DBOSClient, before: datetime) -> int:
    """Delete the records of workflows that began before and have ended; return how many.

    Raise DatabaseUnavailable.
    """
    total = 0
    with answering():
        while found := await client.list_workflows_async(
            status=_ENDED,
            end_time=before.isoformat(),
            limit=_BATCH,
            load_input=False,
            load_output=False,
        ):
            await client.delete_workflows_async([workflow.workflow_id for workflow in found])
            total += len(found)
    return total
