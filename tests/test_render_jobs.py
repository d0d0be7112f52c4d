"""What a thread says of a job, word for word."""

# ruff: noqa: E501, RUF001 -- what people read stands here word for word

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from inline_snapshot import snapshot

from bot import render
from bot.models import (
    AgentEnd,
    AgentProgress,
    JobId,
    JobOptions,
    JobState,
    Mode,
    Outcome,
    PullRequest,
    Verdict,
)
from bot.redaction import Redactor
from bot.render.report import fits

REDACTOR = Redactor(["hunter2hunter2"])
START = datetime(2026, 1, 2, 15, 4, tzinfo=UTC)
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
TIMES = {
    JobState.RECEIVED: START,
    JobState.QUEUED: START + timedelta(seconds=1),
    JobState.RESERVING: START + timedelta(seconds=20),
    JobState.PREPARING: START + timedelta(seconds=45),
    JobState.INVESTIGATING: START + timedelta(minutes=4),
    JobState.RELEASING: START + timedelta(minutes=75),
    JobState.PUBLISHING: START + timedelta(minutes=75, seconds=4),
    JobState.FINISHED: START + timedelta(minutes=75, seconds=9),
}


def _times(until: JobState) -> dict[JobState, datetime]:
    return {state: TIMES[state] for state in list(TIMES)[: list(TIMES).index(until) + 1]}


def _progress(view: render.ProgressView) -> str:
    return render.progress(view, redactor=REDACTOR)


def test_a_job_that_waits() -> None:
    """The first form of the progress comment is there before a machine is."""
    view = render.ProgressView(
        job=JOB,
        state=JobState.QUEUED,
        now=START + timedelta(seconds=21),
        times=_times(JobState.QUEUED),
        queue_position=2,
    )
    assert _progress(view) == snapshot("""\
<!-- ptq:progress job=20260102-pytorch-7 run=1 -->
**I am waiting for a machine** (job `20260102-pytorch-7`), as [asked for](https://github.com/pytorch/pytorch/issues/7#issuecomment-1) by alice.

- ▶ Reserve a machine: `1 × h100`, 2nd in the queue, 20 s
- – Prepare PyTorch on it
- – Investigate
- – Give the machine back
- – Check and publish the patch

The report will appear in this comment, and a short answer under it. Last update: 2026-01-02 15:04 UTC.\
""")


def test_a_job_that_runs() -> None:
    """The checklist says what is done, on which machine, and what it has cost."""
    view = render.ProgressView(
        job=JOB,
        state=JobState.INVESTIGATING,
        now=START + timedelta(minutes=16),
        times=_times(JobState.INVESTIGATING),
        machine="pool-1",
        torch_version="2.13.0",
        progress=AgentProgress(
            turns=12, usd=0.84, last_activity="Bash: `ls` @user hunter2hunter2\nx"
        ),
        can_be_killed=True,
    )
    assert _progress(view) == snapshot("""\
<!-- ptq:progress job=20260102-pytorch-7 run=1 -->
**I am investigating this issue** (job `20260102-pytorch-7`), as [asked for](https://github.com/pytorch/pytorch/issues/7#issuecomment-1) by alice.

- ✓ Reserve a machine: `pool-1`, `1 × h100`, 44 s
- ✓ Prepare PyTorch on it: torch `2.13.0`, 3 min
- ▶ Investigate: 12 of 100 turns, $0.84, 12 min
- – Give the machine back
- – Check and publish the patch

The agent's latest step: ``Bash: `ls` @user [redacted]``

The report will appear in this comment, and a short answer under it. To stop the job, write `/ptq kill`. Last update: 2026-01-02 15:20 UTC.\
""")


def test_a_job_on_a_cpu_with_a_limit_of_money() -> None:
    """A machine without a GPU is called that; a budget is shown next to what is spent."""
    options = JobOptions(gpu_type="cpu", max_usd=5, max_turns=1)
    job = render.Job(id=JOB.id, run=2, issue_number=7, requester="alice", options=options)
    view = render.ProgressView(
        job=job,
        state=JobState.INVESTIGATING,
        now=START,
        machine="local",
        progress=AgentProgress(turns=1, usd=1234.5),
    )
    assert _progress(view) == snapshot("""\
<!-- ptq:progress job=20260102-pytorch-7 run=2 -->
**I am investigating this issue** (job `20260102-pytorch-7`, run 2), as asked for by alice.

- ✓ Reserve a machine: `local`, no GPU
- ✓ Prepare PyTorch on it
- ▶ Investigate: 1 of 1 turn, $1,234.50 of $5.00
- – Give the machine back
- – Check and publish the patch

The report will appear in this comment, and a short answer under it. Last update: 2026-01-02 15:04 UTC.\
""")


def test_a_job_that_has_finished() -> None:
    """The last form holds the result and the agent's files, closed and labelled."""
    view = render.ProgressView(
        job=JOB,
        state=JobState.FINISHED,
        now=START + timedelta(minutes=76),
        times=TIMES,
        machine="pool-1",
        torch_version="2.13.0",
        progress=AgentProgress(turns=41, usd=3.2),
        outcome=Outcome(state=JobState.FINISHED, verdict=Verdict.FIXED, pull=PULL),
        texts=render.Texts(
            report="# Report\nIt works, @bob. Fixes #7.\n```",
            patch="--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n-a\n+b\n",
            worklog="tried `x`",
            log="Bash: make",
        ),
    )
    assert _progress(view) == snapshot("""\
<!-- ptq:progress job=20260102-pytorch-7 run=1 -->
**This investigation has finished** (job `20260102-pytorch-7`), as [asked for](https://github.com/pytorch/pytorch/issues/7#issuecomment-1) by alice.

- ✓ Reserve a machine: `pool-1`, `1 × h100`, 44 s
- ✓ Prepare PyTorch on it: torch `2.13.0`, 3 min
- ✓ Investigate: 41 of 100 turns, $3.20, 1 h 11 min
- ✓ Give the machine back: 4 s
- ✓ Check and publish the patch: 5 s

The agent reports that it reproduced the bug and fixed it. Draft pull request: [#8](https://github.com/pytorch/pytorch/pull/8).

Ended 2026-01-02 16:19 UTC. It took 1 h 15 min.

<details><summary>Report by the agent (AI-generated, not reviewed by a person)</summary>

### Report
It works, `@bob`. Fixes `#7`.
```

```

</details>

<details><summary>Patch</summary>

```diff
--- a/x.py
+++ b/x.py
@@ -1 +1 @@
-a
+b
```

</details>

<details><summary>Worklog of the agent (AI-generated, not reviewed by a person)</summary>

tried `x`

</details>

<details><summary>End of the agent's log</summary>

```
Bash: make
```

</details>\
""")


def test_a_job_that_has_failed() -> None:
    """The phase that went wrong is marked, and what was not reached too."""
    view = render.ProgressView(
        job=JOB,
        state=JobState.FAILED,
        now=START + timedelta(minutes=5),
        times=_times(JobState.PREPARING) | {JobState.FAILED: START + timedelta(minutes=4)},
        failed_in=JobState.PREPARING,
        machine="pool-1",
        outcome=Outcome(
            state=JobState.FAILED,
            problem="The connection to the machine was lost, or never made.",
            partial=True,
        ),
    )
    assert _progress(view) == snapshot("""\
<!-- ptq:progress job=20260102-pytorch-7 run=1 -->
**This investigation has failed** (job `20260102-pytorch-7`), as [asked for](https://github.com/pytorch/pytorch/issues/7#issuecomment-1) by alice.

- ✓ Reserve a machine: `pool-1`, `1 × h100`, 44 s
- ✗ Prepare PyTorch on it: 3 min
- – Investigate
- – Give the machine back
- – Check and publish the patch

The connection to the machine was lost, or never made. The run was cut short, so what there is may be incomplete.

Ended 2026-01-02 15:08 UTC. It took 4 min.\
""")


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
        no_pull_reason="the patch touches `.github/workflows/x.yml`, which it may not.",
    )
    assert _closing(refused) == snapshot("""\
@alice The agent reports that it reproduced the bug and fixed it. I opened no pull request: the patch touches `.github/workflows/x.yml`, which it may not.

The report is in [the comment above](https://github.com/pytorch/pytorch/issues/7#issuecomment-2). All of this is the agent's own account: neither I nor a person has checked it.\
""")
    reproduced = Outcome(
        state=JobState.FINISHED,
        verdict=Verdict.REPRODUCED,
        no_pull_reason="the agent has no fix to propose.",
    )
    assert _closing(reproduced) == snapshot("""\
@alice The agent reports that it reproduced the bug, and it has no fix for it. I opened no pull request: the agent has no fix to propose.

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


LONG = {
    "lines": "a line of text with `code`\n" * 20_000,
    "one line": "x" * 400_000,
    "wide": "\U0001f525" * 200_000,
    "fence": "```\n" + "code\n" * 40_000 + "```\nafter",
    "escapes": "<" * 300_000,
    "mentions": "@user " * 60_000,
}


@pytest.mark.parametrize("kind", LONG)
def test_no_comment_is_too_long_for_github(kind: str) -> None:
    """Long parts are dropped in order, and the note says which."""
    text = LONG[kind]
    view = render.ProgressView(
        job=JOB,
        state=JobState.FINISHED,
        now=START,
        outcome=Outcome(state=JobState.FINISHED, verdict=Verdict.FIXED),
        texts=render.Texts(report=text, patch=text, worklog=text, log=text),
        whole_url="https://ptq.example/jobs/1",
    )
    result = _progress(view)
    assert fits(result)
    assert result.count("<details>") == result.count("</details>") == 1
    assert "the middle of the report was left out" in result
    assert result.endswith(
        "*The middle of the report, patch, worklog and log are left out: a comment has no room for "
        "more.* [Everything is here](https://ptq.example/jobs/1)."
    )


def test_blank_files_are_no_reason_to_drop_anything() -> None:
    """What shows as nothing takes no room."""
    text = "\n" * 300_000 + "x"
    view = render.ProgressView(
        job=JOB,
        state=JobState.FINISHED,
        now=START,
        outcome=Outcome(state=JobState.FINISHED),
        texts=render.Texts(report=text[-1000:], patch=text, log=text),
    )
    result = _progress(view)
    assert result.count("<details>") == result.count("</details>") == 3
    assert "left out" not in result


def test_the_log_is_dropped_first() -> None:
    """What fits is kept: the report and the patch outlive the log and the worklog."""
    texts = render.Texts(
        report="r " * 9_000, patch="p\n" * 9_000, worklog="w " * 9_000, log="l\n" * 9_000
    )
    view = render.ProgressView(
        job=JOB,
        state=JobState.FINISHED,
        now=START,
        outcome=Outcome(state=JobState.FINISHED),
        texts=texts,
    )
    result = _progress(view)
    assert [name for name in ("Report", "Patch", "Worklog", "End of") if f">{name}" in result] == [
        "Report",
        "Patch",
        "Worklog",
    ]
    assert result.endswith("*The log is left out: a comment has no room for more.*")
