"""Jobs that are there already, for commands that look at them or use what they found."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from bot.models import (
    AgentProgress,
    DeliveryId,
    GpuRequest,
    JobId,
    JobOptions,
    JobRequest,
    JobState,
    LeaseId,
    Outcome,
    Person,
    RepositoryName,
    TorchBuild,
    Verdict,
)
from bot.store import Database, Jobs, Leases, only_process

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from tests.own_terminal import Terminal

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
MACHINE = "gpu-1"
_WANTED = GpuRequest(gpu_type="h100", gpus=1, duration=timedelta(hours=4))
PATCH = """\
diff --git a/tinytorch/sequence.py b/tinytorch/sequence.py
index 1111111..2222222 100644
--- a/tinytorch/sequence.py
+++ b/tinytorch/sequence.py
@@ -26,4 +26,4 @@ def unpad_sequence(
     \"""Return the sequences of a batch without their padding.\"""
     if not batch_first:
-        transpose_(padded)
+        padded = transpose(padded)
     return [row[:length] for row, length in zip(padded, lengths, strict=True)]
"""
"""The change that mends the sample, as git writes it."""


@dataclass(frozen=True, slots=True)
class Seed:
    """A job as it is to be."""

    issue: int
    state: JobState = JobState.FINISHED
    verdict: Verdict = Verdict.FIXED
    documents: dict[str, str] = field(default_factory=dict[str, str])
    repository: str = "pytorch/pytorch"


async def seed(terminal: Terminal, *seeds: Seed) -> list[JobId]:
    """Write the jobs into the terminal's database, the newest last."""
    terminal.state.mkdir(exist_ok=True)
    database = await asyncio.to_thread(Database, f"sqlite:///{terminal.state / 'ptq.sqlite'}")
    await database.upgrade()
    try:
        return [await _seed(database, one) for one in seeds]
    finally:
        await database.close()


@asynccontextmanager
async def served(terminal: Terminal) -> AsyncGenerator[None]:
    """Hold the state directory as a service does, and carry out nothing."""
    lock = only_process(terminal.state / "serve.lock")
    await asyncio.to_thread(lock.__enter__)
    try:
        yield
    finally:
        lock.__exit__(None, None, None)


async def _seed(database: Database, wanted: Seed) -> JobId:
    jobs, repository = Jobs(database), RepositoryName.parse(wanted.repository)
    request = JobRequest(
        job_id=JobId(f"20260102-{repository.name}-{wanted.issue}"),
        repository=repository,
        installation_id=None,
        issue_number=wanted.issue,
        requester=Person(login="alice", id=7),
        asked_at=NOON,
        options=JobOptions(),
    )
    accepted = await jobs.accept(
        request,
        delivery_id=DeliveryId(f"d-{request.job_id}"),
        ordinal=0,
        enqueue=lambda _connection, _job_id: None,
        documents=wanted.documents,
    )
    assert accepted.job_id is not None
    await _go_on(database, accepted.job_id, wanted)
    return accepted.job_id


async def lent_again(
    terminal: Terminal, job_id: JobId, machine: str, *, is_lost: bool = False
) -> None:
    """Have had an ended job on a machine too; one that died under it may have its agent still."""
    database = await asyncio.to_thread(Database, f"sqlite:///{terminal.state / 'ptq.sqlite'}")
    leases, lease = Leases(database), LeaseId(f"{job_id}/2")
    try:
        await leases.open(lease, job_id, "pool", _WANTED)
        await leases.claim(lease, [(machine, 10)])
        await (leases.lose if is_lost else leases.release)(lease)
    finally:
        await database.close()


async def _go_on(database: Database, job_id: JobId, wanted: Seed) -> None:
    jobs, leases = Jobs(database), Leases(database)
    lease = LeaseId(f"{job_id}/1")
    await leases.open(lease, job_id, "pool", _WANTED)
    await leases.claim(lease, [(MACHINE, 10)])
    for state in (JobState.PREPARING, JobState.INVESTIGATING):
        await jobs.enter(job_id, state)
    await jobs.set_machine(job_id, MACHINE)
    jobs.progress.keep(job_id, AgentProgress(turns=3, usd=0.5))
    await jobs.progress.write()
    build = TorchBuild(
        version="2.13.0", wheel_commit="a" * 40, base_commit="b" * 40, python="3.12.9"
    )
    await jobs.set_build(job_id, build)
    if wanted.state.is_end:
        summary = "It works\x1b[2J now."
        outcome = Outcome(state=wanted.state, verdict=wanted.verdict, summary=summary)
        await jobs.set_outcome(job_id, outcome.model_dump(mode="json"))
        await leases.release(lease)
        await jobs.finish(job_id, wanted.state)
