"""The earlier runs of a job, from what was collected of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot import render, told
from bot.workspace.earlier import HANDED_OVER, EarlierRun

if TYPE_CHECKING:
    from bot.investigation.parts import Parts
    from bot.models import JobRequest
    from bot.store import Job


async def earlier_runs(parts: Parts, request: JobRequest) -> list[EarlierRun]:
    """Return the runs of the job before this one, oldest first."""
    if request.run == 1:
        return []
    runs = await parts.runs.earlier(request.job_id, request.run)
    return [await _run(parts, job) for job in runs]


async def _run(parts: Parts, job: Job) -> EarlierRun:
    documents = await parts.documents.read_all(job.id, job.request.run)
    outcome, proof = told.outcome_of(job), told.proof_of(documents)
    proved = ""
    if proof is not None:
        said = render.verdict_by_proof(proof, redactor=parts.redactor)
        proved = f"{said}\n\n{render.proof_table(proof, redactor=parts.redactor)}"
    return EarlierRun(
        run=job.request.run,
        requester=job.request.requester.login,
        ended=outcome.state.value,
        verdict=outcome.verdict.value if outcome.verdict else "",
        proved=proved,
        files={name: documents[name] for name in HANDED_OVER if name in documents},
    )
