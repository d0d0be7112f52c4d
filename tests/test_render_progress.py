"""The progress comment, word for word."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from inline_snapshot import snapshot

from bot import render
from bot.models import (
    AgentProgress,
    JobId,
    JobOptions,
    JobState,
    Outcome,
    PullRequest,
    Verdict,
)
from bot.queue import (
    BiggerFirst,
    GpuTypeIsFull,
    NoFreeMachine,
    PersonIsFull,
    RepositoryIsFull,
    Standing,
)
from bot.redaction import Redactor

if TYPE_CHECKING:
    from bot.queue import Reason

REDACTOR = Redactor(["hunter2hunter2"])
START = datetime(2026, 1, 2, 15, 4, tzinfo=UTC)
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
        standing=Standing(2, NoFreeMachine(None)),
    )
    assert _progress(view) == snapshot("""\
<!-- ptq:progress job=20260102-pytorch-7 run=1 -->
**I am waiting for a machine** (job `20260102-pytorch-7`), as [asked for](https://github.com/pytorch/pytorch/issues/7#issuecomment-1) by alice.

- ▶ Reserve a machine: `1 × h100`, 2nd in the queue, 20 s
- – Prepare PyTorch on it
- – Investigate
- – Give the machine back
- – Check and publish the patch

It waits because every machine that fits is busy.

The report will appear in this comment, and a short answer under it. Last update: 2026-01-02 15:04 UTC.\
""")


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        (NoFreeMachine("gpu-1"), snapshot("It waits because machine `gpu-1` is busy.")),
        (
            RepositoryIsFull(5, 5),
            snapshot("It waits because this repository has 5 of the 5 jobs that may run at once."),
        ),
        (
            PersonIsFull(2, 1, is_here=False),
            snapshot("It waits because alice has 2 of the 1 job that one person may have at once."),
        ),
        (
            PersonIsFull(2, 2, is_here=True),
            snapshot(
                "It waits because alice has 2 of the 2 jobs that one person may have at once here."
            ),
        ),
        (
            GpuTypeIsFull("h100", 7, 8),
            snapshot("It waits because 7 of the 8 `h100` that may be lent at once are in use."),
        ),
        (
            BiggerFirst("h100"),
            snapshot("It waits because a job that needs more `h100` at once has waited too long."),
        ),
    ],
)
def test_why_a_job_waits(reason: Reason, sentence: str) -> None:
    """Whoever waits reads what for, with the numbers."""
    view = render.ProgressView(
        job=JOB, state=JobState.QUEUED, now=START, standing=Standing(11, reason)
    )
    text = _progress(view)
    assert "`1 × h100`, 11th in the queue" in text
    assert text.split("\n\n")[-2] == sentence


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
