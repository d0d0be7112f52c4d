"""A job in words and as JSON, the same in every command."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from bot.models import JobState, Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.store import Job


def summary(job: Job, *, leads_on: bool = True) -> list[str]:
    """Return how a job ended, of untrusted text too, and what ``leads_on`` to its findings."""
    outcome = outcome_of(job)
    verdict = outcome.verdict.value if outcome and outcome.verdict else "no verdict"
    lines = [f"{job.id}  {job.state.value}  {verdict}"]
    if outcome is None:
        return lines
    lines += [text for text in (outcome.problem, outcome.summary) if text.strip()]
    if job.state is JobState.CANCELLED and job.kill_requested_by:
        lines.append(f"{job.kill_requested_by} stopped it.")
    if job.pull_url:
        lines.append(f"Draft pull request: {job.pull_url}")
    if leads_on and JobState.INVESTIGATING in job.states:
        lines.append(f"What it found: ptq results {job.id}")
    return lines


def outcome_of(job: Job) -> Outcome | None:
    """Return how a job ends, once that is settled."""
    return None if job.outcome is None else Outcome.model_validate(job.outcome)


def facts(job: Job) -> dict[str, Any]:
    """Return what is known of a job, as JSON."""
    outcome = outcome_of(job)
    verdict = outcome.verdict if outcome else None
    claim = outcome.claim if outcome else None
    return {
        "job": job.id,
        "run": job.request.run,
        "repository": str(job.request.repository),
        "issue": job.request.issue_number,
        "state": job.state.value,
        "verdict": verdict and verdict.value,
        "claim": claim and claim.value,
        "summary": outcome.summary if outcome else "",
        "problem": outcome.problem if outcome else "",
        "machine": job.machine,
        "turns": job.progress.turns if job.progress else None,
        "usd": job.progress.usd if job.progress else None,
        "pull_request": job.pull_url,
        "progress_comment": job.progress_comment_url,
        "closing_comment": job.closing_comment_url,
    }


def findings(job: Job, documents: Mapping[str, str], *, log: Sequence[str]) -> dict[str, Any]:
    """Return the same with everything that the job left, the ``log`` in readable lines."""
    proof = documents.get("proof.json")
    return {
        **facts(job),
        "proof": None if proof is None else json.loads(proof),
        "report": documents.get("report.md"),
        "patch": documents.get("fix.diff"),
        "worklog": documents.get("worklog.md"),
        "log": list(log),
    }
