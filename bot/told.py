"""What is known of a job, as the views that messages about it are made from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot import render
from bot.models import AgentProgress, JobState, Outcome, Proof

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from bot.agents.base import Agent
    from bot.queue import Standing
    from bot.store import Job

LOG_LINES = 60
"""Of the end of the agent's log, in a report."""


def job_view(job: Job) -> render.Job:
    """Return what every message about a job needs."""
    request = job.request
    more = outcome_of(job).more_hours if job.outcome is not None else 0.0
    options = request.options.model_copy(update={"hours": request.options.hours + more})
    return render.Job(
        id=job.id,
        run=request.run,
        issue_number=request.issue_number,
        requester=request.requester.login,
        command_url=request.command_url,
        options=options,
    )


def standing_view(
    job: Job,
    *,
    now: datetime,
    standing: Standing | None = None,
    expires_at: datetime | None = None,
    documents: Mapping[str, str] | None = None,
) -> render.StandingView:
    """Return where a job is; ``expires_at`` is the end of its reservation."""
    outcome = outcome_of(job) if job.state.is_end else None
    return render.StandingView(
        job=job_view(job),
        state=job.state,
        now=now,
        times=job.states,
        standing=standing,
        machine=job.machine or "",
        expires_at=expires_at,
        progress=job.progress or AgentProgress(),
        is_stopping=job.kill_requested_by is not None and not job.state.is_end,
        verdict=outcome.verdict if outcome else None,
        proof=proof_of(documents or {}),
        progress_url=job.progress_comment_url,
        closing_url=job.closing_comment_url,
        pull_url=job.pull_url,
    )


def outcome_of(job: Job) -> Outcome:
    """Return how an ended job ended; one that nobody could write down has failed."""
    if job.outcome is None:
        return Outcome(state=JobState.FAILED, problem="Something went wrong inside ptq.")
    return Outcome.model_validate(job.outcome)


def proof_of(documents: Mapping[str, str]) -> Proof | None:
    """Return what the bot itself saw; None where it did not look."""
    text = documents.get("proof.json")
    return None if text is None else Proof.model_validate_json(text)


def texts_of(
    job: Job, documents: Mapping[str, str], *, agents: Mapping[str, Agent]
) -> render.Texts:
    """Return what the agent left, the end of its log in readable lines."""
    lines = readable(job, documents.get("log", ""), agents=agents)
    return render.Texts(
        report=documents.get("report.md", ""),
        patch=documents.get("fix.diff", ""),
        worklog=documents.get("worklog.md", ""),
        repro=documents.get("repro_agent.py", ""),
        log="\n".join(lines[-LOG_LINES:]),
    )


def readable(job: Job, log: str, *, agents: Mapping[str, Agent]) -> list[str]:
    """Return the lines of an agent's log that people can read."""
    agent = agents.get(job.request.options.agent)
    return [] if agent is None else list(agent.parser().feed(log.encode()))
