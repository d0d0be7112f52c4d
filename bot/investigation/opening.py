"""The draft pull request of a job that has ended without one: asked for afterwards, opened once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bot import render, told
from bot.commands.code import code
from bot.errors import PatchRefused, Refusal
from bot.models import Mode, Verdict
from bot.publisher import earlier_pull

if TYPE_CHECKING:
    from bot.investigation.parts import Parts
    from bot.models import Outcome, Proof, PullRequest
    from bot.store import Job


async def open_pull(parts: Parts, job: Job, *, installation_id: int) -> PullRequest:
    """Open the draft pull request of a proved fix, or find the one that there is.

    ``installation_id`` is the App's, for a job that a terminal asked for. Asked twice it is one:
    the publisher finds its commit, branch and pull request again. Raise Refusal with the reason.
    """
    outcome = told.outcome_of(job)
    if outcome.pull is not None:
        return outcome.pull
    documents = await parts.documents.read_all(job.id, job.request.run)
    if reason := _why_not(job, outcome, told.proof_of(documents)):
        raise Refusal(reason)
    if job.build is None:
        raise Refusal(f"job {code(job.id, limit=128)} prepared nothing that could be published.")
    request = job.request.model_copy(update={"installation_id": installation_id})
    try:
        asked = replace(job, request=request)
        earlier = await earlier_pull(parts.runs, job)
        pull = await parts.publisher.publish(asked, job.build, documents, earlier=earlier)
    except PatchRefused as error:
        raise Refusal(render.problem(error, redactor=parts.redactor)) from error
    await parts.jobs.set_pull(job.id, pull)
    opened = outcome.model_copy(update={"pull": pull, "no_pull_reason": ""})
    await parts.jobs.set_outcome(job.id, opened.model_dump(mode="json"))
    await parts.reporter.report(job.id)
    return pull


def _why_not(job: Job, outcome: Outcome, proof: Proof | None) -> str:
    named = f"job {code(job.id, limit=128)}"
    if not job.state.is_end:
        return f"{named} has not ended: it opens its draft pull request itself, if it proves a fix."
    if job.request.issue_number is None:
        return f"{named} belongs to no issue, so there is no thread to open it for."
    if job.request.options.mode is not Mode.FIX:
        mode = code(f"--mode {job.request.options.mode}")
        return f"{named} ran with {mode}, so there is no fix. `/ptq rerun --mode fix` asks for one."
    if proof is not None and proof.is_proved and proof.verdict is Verdict.FIXED:
        return ""
    verdict = code(outcome.verdict) if outcome.verdict else "none"
    if outcome.verdict is Verdict.FIXED:
        return f"I could not prove the fix of {named} myself: its verdict is the agent's word."
    return (
        f"a pull request opens only on a proved `fixed`, and the verdict of {named} is {verdict}."
    )
