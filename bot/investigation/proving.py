"""The step in which the bot looks for itself: the repro before and after, and the tests near it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from bot.errors import AgentError, WorkspaceError
from bot.investigation.admission import frozen_issue
from bot.investigation.agent import PROOF, end_of, gpus_of
from bot.investigation.cancelling import unless_cancelled
from bot.investigation.records import Prepared, Proven
from bot.models import AgentVerdict, JobState, Proof, TorchBuild, Verdict
from bot.proof import prove
from bot.workspace import repro
from bot.workspace.collect import read_verdict
from bot.workspace.free_task import subject
from bot.workspace.layout import Layout
from bot.workspace.snapshot import visible

if TYPE_CHECKING:
    from bot.investigation.parts import Parts
    from bot.models import JobId, Reservation

PROVED = "proved"
NOT_PROVED = "not_proved"
PROOF_STEP = "proof_step"

KEPT_BACK = timedelta(minutes=1)
"""Of the reservation, for giving it back."""

_log = structlog.stdlib.get_logger(__name__)


async def prove_job(
    parts: Parts, job_id: JobId, reservation: Reservation, prepared: Prepared, *, attempt: int
) -> Proven:
    """Run the repro at the base commit and with the patch; keep the record as a document."""
    request = (await parts.jobs.enter(job_id, JobState.PROVING)).request
    await parts.reporter.show(job_id)
    left = await end_of(parts, reservation) - KEPT_BACK - datetime.now(UTC)
    build = _build(prepared)
    async with parts.reporter.live(job_id):
        try:
            async with asyncio.timeout(max(left, timedelta(0)).total_seconds()):
                work = _prove(parts, job_id, reservation, prepared)
                proof = await unless_cancelled(parts, job_id, work)
        except TimeoutError:
            claim = _claim(await parts.documents.read_all(job_id, request.run))
            verdict = claim.verdict if claim else Verdict.ERROR
            proof = _not_shown(build, verdict, "The reservation ended before it was done.")
        except WorkspaceError as error:
            _log.warning(NOT_PROVED, reason=str(error))
            why = "No clean place to run it could be made on the machine."
            proof = _not_shown(build, Verdict.ENVIRONMENT, why)
    if proof is None:
        return Proven(cancelled_by=(await parts.jobs.get(job_id)).kill_requested_by)
    proof = proof.model_copy(update={"retried": attempt > 1})
    await parts.documents.put(job_id, request.run, PROOF, proof.model_dump_json(indent=2))
    _log.info(PROVED, verdict=proof.verdict, proved=proof.is_proved, seconds=proof.seconds)
    return Proven(verdict=proof.verdict, is_proved=proof.is_proved)


def _build(prepared: Prepared) -> TorchBuild:
    if prepared.build is None:
        raise AgentError("nothing was prepared, so there is nothing to prove")
    return prepared.build


def _not_shown(build: TorchBuild, verdict: Verdict, why: str) -> Proof:
    """Return the record of a proof that came to nothing: no pull request opens on it."""
    return Proof(
        verdict=verdict,
        why=why,
        is_proved=False,
        torch_version=build.version,
        commit=build.base_commit,
        cuda=build.cuda,
        gpu=build.gpu,
        driver=build.driver,
        python=build.python,
    )


async def _prove(
    parts: Parts, job_id: JobId, reservation: Reservation, prepared: Prepared
) -> Proof:
    if prepared.paths is None:
        raise AgentError("nothing was prepared, so there is nothing to prove")
    request = (await parts.jobs.get(job_id)).request
    frozen = await frozen_issue(parts, request)
    issue = await asyncio.to_thread(visible, frozen, request.options.include_comments)
    issue = subject(request, issue)
    documents = await parts.documents.read_all(job_id, request.run)

    async def tell(line: str) -> None:
        _log.info(PROOF_STEP, doing=line)

    async with parts.provider.shell(reservation) as shell:
        return await prove(
            shell,
            layout=Layout(await shell.expand(reservation.workspace)),
            job=prepared.paths,
            job_id=job_id,
            build=_build(prepared),
            torch=parts.settings.torch,
            settings=parts.settings.proof,
            repro=await asyncio.to_thread(repro.from_snapshot, issue),
            agent_repro=documents.get("repro_agent.py"),
            claim=_claim(documents),
            mode=request.options.mode,
            patch=documents.get("fix.diff", ""),
            issue=issue,
            tell=tell,
            variables=gpus_of(reservation),
        )


def _claim(documents: dict[str, str]) -> AgentVerdict | None:
    text = documents.get("verdict.json")
    return read_verdict(text.encode() if text is not None else None)[0]
