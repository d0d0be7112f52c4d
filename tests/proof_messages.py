"""The messages of a job that was proved, for the tests of their words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bot import render
from bot.models import (
    AgentEnd,
    AgentProgress,
    JobId,
    JobOptions,
    JobState,
    Mode,
    Outcome,
    Proof,
    PullRequest,
    Verdict,
)
from bot.redaction import Redactor

REDACTOR = Redactor(["hunter2hunter2"])
REPORT_URL = "https://github.com/pytorch/pytorch/issues/7#issuecomment-2"
START = datetime(2026, 1, 2, 15, 4, tzinfo=UTC)
JOB = render.Job(id=JobId("20260102-pytorch-7"), issue_number=7, requester="alice")
PULL = PullRequest(
    number=8, url="https://github.com/pytorch/pytorch/pull/8", branch="ptq/7", draft=True
)
SUMMARY = "`unpad_sequence` transposed the caller's batch. It works on a view now."
TIMES = {
    JobState.RESERVING: START,
    JobState.PREPARING: START + timedelta(minutes=1),
    JobState.INVESTIGATING: START + timedelta(minutes=3),
    JobState.PROVING: START + timedelta(minutes=40),
    JobState.RELEASING: START + timedelta(minutes=46),
    JobState.PUBLISHING: START + timedelta(minutes=46, seconds=2),
    JobState.FINISHED: START + timedelta(minutes=46, seconds=6),
}


def job(mode: Mode) -> render.Job:
    """Return a job in a mode."""
    return render.Job(
        id=JOB.id, issue_number=7, requester="alice", options=JobOptions(mode=mode, max_turns=100)
    )


def outcome(claim: Verdict | None, **fields: object) -> Outcome:
    """Return how a job ended, with what its agent claims."""
    return Outcome.model_validate(
        {"state": JobState.FINISHED, "claim": claim, "summary": SUMMARY} | fields
    )


def closing(shown: Proof, outcome: Outcome, *, missing: str = "", mode: Mode = Mode.FIX) -> str:
    """Return the closing comment without its marker."""
    view = render.ClosingView(
        job=job(mode),
        outcome=outcome,
        progress_url=REPORT_URL,
        agent_end=AgentEnd.SUCCESS,
        missing=missing,
        has_report=True,
        proof=shown,
    )
    return render.closing(view, redactor=REDACTOR).partition("\n")[2]


def report(
    shown: Proof | None,
    outcome: Outcome,
    *,
    texts: render.Texts | None = None,
    agent_end: AgentEnd = AgentEnd.SUCCESS,
) -> str:
    """Return the last form of the progress comment."""
    view = render.ProgressView(
        job=JOB,
        state=outcome.state,
        now=START,
        times=TIMES,
        machine="pool-1",
        torch_version="2.13.0+cu130",
        progress=AgentProgress(turns=41, usd=3.2),
        agent_end=agent_end,
        outcome=outcome,
        proof=shown,
        texts=texts or render.Texts(),
    )
    return render.progress(view, redactor=REDACTOR)
