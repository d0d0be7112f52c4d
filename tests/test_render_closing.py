"""The closing comment, word for word."""

from __future__ import annotations

import pytest
from inline_snapshot import snapshot

from bot import render
from bot.models import (
    AgentEnd,
    JobId,
    JobOptions,
    JobState,
    Mode,
    Outcome,
    PullRequest,
    Verdict,
)
from bot.redaction import Redactor

REDACTOR = Redactor(["hunter2hunter2"])
REPORT_URL = "https://github.com/pytorch/pytorch/issues/7#issuecomment-2"
JOB = render.Job(
    id=JobId("20260102-pytorch-7"),
    issue_number=7,
    requester="alice",
    command_url="https://github.com/pytorch/pytorch/issues/7#issuecomment-1",
)
PULL = PullRequest(
    number=8, url="https://github.com/pytorch/pytorch/pull/8", branch="ptq/7", draft=True
)


def _closing(
    outcome: Outcome,
    *,
    agent_end: AgentEnd | None = AgentEnd.SUCCESS,
    options: JobOptions | None = None,
    missing: str = "",
    cancelled_by: str | None = None,
) -> str:
    job = render.Job(id=JOB.id, issue_number=7, requester="alice", options=options or JobOptions())
    view = render.ClosingView(
        job=job,
        outcome=outcome,
        progress_url=REPORT_URL,
        agent_end=agent_end,
        missing=missing,
        cancelled_by=cancelled_by,
        has_report=outcome.verdict is not None,
    )
    text = render.closing(view, redactor=REDACTOR)
    marker = "<!-- ptq:closing job=20260102-pytorch-7 run=1 -->\n"
    assert text.startswith(marker)
    return text.removeprefix(marker)


def test_closing_with_a_pull_request() -> None:
    """The person who asked is told where the change is, and whose claim it is."""
    outcome = Outcome(
        state=JobState.FINISHED,
        verdict=Verdict.FIXED,
        summary="# `unpad_sequence` transposed the caller's tensor.\nIt copies now, @bob. Fixes #7.",
        pull=PULL,
    )
    assert _closing(outcome) == snapshot("""\
@alice The agent reports that it reproduced the bug and fixed it. Its change is in [draft pull request #8](https://github.com/pytorch/pytorch/pull/8).

In its words:
> `unpad_sequence` transposed the caller's tensor. It copies now, `@bob`. Fixes `#7`.

The report is in [the comment above](https://github.com/pytorch/pytorch/issues/7#issuecomment-2). All of this is the agent's own account: neither I nor a person has checked it.\
""")


def test_closing_without_a_pull_request() -> None:
    """It says why there is none."""
    refused = Outcome(
        state=JobState.FINISHED,
        verdict=Verdict.FIXED,
        no_pull_reason="The patch touches `.github/workflows/x.yml`, which it may not.",
    )
    assert _closing(refused) == snapshot("""\
@alice The agent reports that it reproduced the bug and fixed it. I opened no pull request. The patch touches `.github/workflows/x.yml`, which it may not.

The report is in [the comment above](https://github.com/pytorch/pytorch/issues/7#issuecomment-2). All of this is the agent's own account: neither I nor a person has checked it.\
""")
    reproduced = Outcome(
        state=JobState.FINISHED,
        verdict=Verdict.REPRODUCED,
        no_pull_reason="The agent has no fix to propose.",
    )
    assert _closing(reproduced) == snapshot("""\
@alice The agent reports that it reproduced the bug, and it has no fix for it. I opened no pull request. The agent has no fix to propose.

The report is in [the comment above](https://github.com/pytorch/pytorch/issues/7#issuecomment-2). All of this is the agent's own account: neither I nor a person has checked it.\
""")


def test_closing_when_it_does_not_reproduce() -> None:
    """The author of the issue learns what is missing."""
    outcome = Outcome(state=JobState.FINISHED, verdict=Verdict.NOT_REPRODUCED)
    assert _closing(outcome, missing="- The shape of `x`, and the GPU.") == snapshot("""\
@alice The agent reports that it could not reproduce the bug.

What it found missing in the issue:
> The shape of `x`, and the GPU.

The report is in [the comment above](https://github.com/pytorch/pytorch/issues/7#issuecomment-2). All of this is the agent's own account: neither I nor a person has checked it.\
""")


@pytest.mark.parametrize("verdict", Verdict)
def test_every_verdict_is_a_claim(verdict: Verdict) -> None:
    """No verdict is told as a fact before it is proved."""
    text = _closing(Outcome(state=JobState.FINISHED, verdict=verdict))
    assert text.startswith("@alice The agent reports that ")
    assert "neither I nor a person has checked it" in text


def test_verdicts_in_words() -> None:
    """Each verdict is a sentence of its own."""
    sentences = {
        verdict.value: _closing(Outcome(state=JobState.FINISHED, verdict=verdict)).partition("\n")[
            0
        ]
        for verdict in Verdict
    }
    assert sentences == snapshot(
        {
            "reproduced": "@alice The agent reports that it reproduced the bug, and it has no fix for it.",
            "not_reproduced": "@alice The agent reports that it could not reproduce the bug.",
            "fixed": "@alice The agent reports that it reproduced the bug and fixed it.",
            "not_fixed": "@alice The agent reports that it reproduced the bug and could not fix it.",
            "broke_others": "@alice The agent reports that its change mends the bug and breaks other tests.",
            "already_passing": "@alice The agent reports that the bug does not happen in the build of PyTorch that it used: it may be fixed already.",
            "environment": "@alice The agent reports that the bug could not be tried in the environment it had.",
            "error": "@alice The agent reports that it ran into an error before it could tell.",
        }
    )
    looked = Outcome(state=JobState.FINISHED, verdict=Verdict.REPRODUCED)
    assert [
        _closing(looked, options=JobOptions(mode=mode)).partition("\n")[0] for mode in Mode
    ] == snapshot(
        [
            "@alice The agent reports that it reproduced the bug.",
            "@alice The agent reports that it reproduced the bug and looked for its cause.",
            "@alice The agent reports that it reproduced the bug, and it has no fix for it.",
        ]
    )


def test_closing_when_the_agent_ends_early() -> None:
    """How the agent ended is told, with the limit that it met."""
    options = JobOptions(max_turns=50, max_usd=5, hours=1)
    ends = {
        end.value: _closing(
            Outcome(state=JobState.FAILED, partial=True), agent_end=end, options=options
        )
        for end in AgentEnd
        if end is not AgentEnd.SUCCESS
    }
    assert ends == snapshot(
        {
            "max_turns": """\
@alice The agent used up its 50 turns before it was done.

What is known is in [the comment above](https://github.com/pytorch/pytorch/issues/7#issuecomment-2). It may be incomplete, because the run was cut short.\
""",
            "max_usd": """\
@alice The agent used up its $5.00 before it was done.

What is known is in [the comment above](https://github.com/pytorch/pytorch/issues/7#issuecomment-2). It may be incomplete, because the run was cut short.\
""",
            "api_error": """\
@alice The model behind the agent failed or refused, so the agent ended early.

What is known is in [the comment above](https://github.com/pytorch/pytorch/issues/7#issuecomment-2). It may be incomplete, because the run was cut short.\
""",
            "stopped": """\
@alice The agent was stopped before it was done.

What is known is in [the comment above](https://github.com/pytorch/pytorch/issues/7#issuecomment-2). It may be incomplete, because the run was cut short.\
""",
            "timed_out": """\
@alice The time limit (1 hour) ran out before the agent was done.

What is known is in [the comment above](https://github.com/pytorch/pytorch/issues/7#issuecomment-2). It may be incomplete, because the run was cut short.\
""",
            "crashed": """\
@alice The agent crashed before it was done.

What is known is in [the comment above](https://github.com/pytorch/pytorch/issues/7#issuecomment-2). It may be incomplete, because the run was cut short.\
""",
        }
    )
    early = Outcome(state=JobState.FINISHED, verdict=Verdict.REPRODUCED, partial=True)
    assert _closing(early, agent_end=AgentEnd.MAX_TURNS) == snapshot("""\
@alice The agent used up its 100 turns before it was done. The agent reports that it reproduced the bug, and it has no fix for it.

The report is in [the comment above](https://github.com/pytorch/pytorch/issues/7#issuecomment-2). It may be incomplete, because the run was cut short. All of this is the agent's own account: neither I nor a person has checked it.\
""")


def test_closing_when_there_is_no_verdict() -> None:
    """An agent that says nothing is told of as such."""
    assert _closing(Outcome(state=JobState.FINISHED)) == snapshot("""\
@alice The agent ended without a verdict.

What is known is in [the comment above](https://github.com/pytorch/pytorch/issues/7#issuecomment-2).\
""")


def test_closing_of_jobs_that_did_not_get_to_an_agent() -> None:
    """What went wrong is told, or that it is not known."""
    problem = "There is no machine for it: no machine of the pool has `b200`."
    assert _closing(Outcome(state=JobState.FAILED, problem=problem), agent_end=None) == snapshot("""\
@alice This job failed. There is no machine for it: no machine of the pool has `b200`.

What is known is in [the comment above](https://github.com/pytorch/pytorch/issues/7#issuecomment-2).\
""")
    assert _closing(Outcome(state=JobState.FAILED), agent_end=None) == snapshot("""\
@alice This job failed. Something went wrong inside ptq.

What is known is in [the comment above](https://github.com/pytorch/pytorch/issues/7#issuecomment-2).\
""")
    refused = Outcome(state=JobState.REFUSED, problem="You no longer have the right to write here.")
    assert _closing(refused, agent_end=None) == snapshot("""\
@alice You no longer have the right to write here.

What is known is in [the comment above](https://github.com/pytorch/pytorch/issues/7#issuecomment-2).\
""")


def test_closing_of_jobs_that_were_ended() -> None:
    """Who stopped a job is named and not called; a time limit is told in hours."""
    stopped = Outcome(state=JobState.CANCELLED, partial=True)
    assert _closing(stopped, agent_end=AgentEnd.STOPPED, cancelled_by="bob") == snapshot("""\
@alice This job was stopped by bob before it was done.

What is known is in [the comment above](https://github.com/pytorch/pytorch/issues/7#issuecomment-2). It may be incomplete, because the run was cut short.\
""")
    assert _closing(stopped, agent_end=None) == snapshot("""\
@alice This job was stopped by somebody before it was done.

What is known is in [the comment above](https://github.com/pytorch/pytorch/issues/7#issuecomment-2). It may be incomplete, because the run was cut short.\
""")
    late = Outcome(state=JobState.TIMED_OUT, verdict=Verdict.REPRODUCED, partial=True)
    assert _closing(late, agent_end=AgentEnd.TIMED_OUT) == snapshot("""\
@alice The time limit (4 hours) ran out before the agent was done. The agent reports that it reproduced the bug, and it has no fix for it.

The report is in [the comment above](https://github.com/pytorch/pytorch/issues/7#issuecomment-2). It may be incomplete, because the run was cut short. All of this is the agent's own account: neither I nor a person has checked it.\
""")
