"""The comments and the pull request of a job that was proved, word for word."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

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
    TorchBuild,
    Verdict,
)
from bot.redaction import Redactor
from bot.render.report import fits
from tests import proofs
from tests.proofs import GREEN, OTHER, RED, before_the_change, proof, ran

if TYPE_CHECKING:
    from bot.models import Proof

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


def _job(mode: Mode) -> render.Job:
    return render.Job(
        id=JOB.id, issue_number=7, requester="alice", options=JobOptions(mode=mode, max_turns=100)
    )


def _outcome(claim: Verdict | None, **fields: object) -> Outcome:
    return Outcome.model_validate(
        {"state": JobState.FINISHED, "claim": claim, "summary": SUMMARY} | fields
    )


def _closing(shown: Proof, outcome: Outcome, *, missing: str = "", mode: Mode = Mode.FIX) -> str:
    view = render.ClosingView(
        job=_job(mode),
        outcome=outcome,
        progress_url=REPORT_URL,
        agent_end=AgentEnd.SUCCESS,
        missing=missing,
        has_report=True,
        proof=shown,
    )
    return render.closing(view, redactor=REDACTOR).partition("\n")[2]


def _report(
    shown: Proof | None,
    outcome: Outcome,
    *,
    texts: render.Texts | None = None,
    agent_end: AgentEnd = AgentEnd.SUCCESS,
) -> str:
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


def test_closing_a_fix_that_holds() -> None:
    """What the bot saw comes first, the agent's words are quoted as such."""
    outcome = _outcome(Verdict.FIXED, pull=PULL)
    assert _closing(proof(), outcome) == snapshot("""\
@alice I ran the repro myself: it fails at base in 3 of 3 runs, and passes with the change in 3 of 3. The change is in [draft pull request #8](https://github.com/pytorch/pytorch/pull/8).

In the agent's words:
> `unpad_sequence` transposed the caller's batch. It works on a view now.

The report, with all that I ran, is in [the comment above](https://github.com/pytorch/pytorch/issues/7#issuecomment-2). No person has checked what the agent says there.\
""")


def test_closing_a_fix_that_does_nothing() -> None:
    """Where the agent claims more than was seen, both are told, and no pull request is opened."""
    shown = proof(Verdict.NOT_FIXED, green=ran(RED, RED, RED), retried=True)
    reason = "It opens on a fix that I have seen to hold."
    assert _closing(shown, _outcome(Verdict.FIXED, no_pull_reason=reason)) == snapshot("""\
@alice I ran the repro myself: it fails at base in 3 of 3 runs, and with the change it still fails in 3 of 3. The agent had a second try, with what I saw in the first. The agent claimed `fixed`; I saw `not_fixed`. I opened no pull request. It opens on a fix that I have seen to hold.

The agent's own account, which is not what I saw:
> `unpad_sequence` transposed the caller's batch. It works on a view now.

The report, with all that I ran, is in [the comment above](https://github.com/pytorch/pytorch/issues/7#issuecomment-2). No person has checked what the agent says there.\
""")


def test_closing_what_does_not_reproduce() -> None:
    """It says what was tried, on which hardware and version, and what exactly is missing."""
    shown = before_the_change(Verdict.NOT_REPRODUCED, GREEN, GREEN, GREEN)
    outcome = _outcome(Verdict.NOT_REPRODUCED, summary="It passes with float32 and float64.")
    asked = "- Which shape has the batch?\n- @alice which GPU is it? Fixes #7\n\n<b>x</b>\n"
    assert _closing(shown, outcome, missing=asked) == snapshot("""\
@alice I ran the repro myself: it passes at base in 3 of 3 runs. So I could not reproduce the bug here.

What I tried: `python repro.py`, 3 times, at base, on `NVIDIA H100 80GB HBM3`, driver `580.65`, CUDA `13.0`, torch `2.13.0+cu130`, commit `0123456789ab`, Python `3.12.9`. I looked for `AssertionError: the caller's batch was changed`, as the issue says.

What the agent found missing in the issue:
> - Which shape has the batch?
> - `@alice` which GPU is it? Fixes `#7`
> - &lt;b>x&lt;/b>

In the agent's words:
> It passes with float32 and float64.

The report, with all that I ran, is in [the comment above](https://github.com/pytorch/pytorch/issues/7#issuecomment-2). No person has checked what the agent says there.\
""")


def test_closing_what_the_issue_has_no_program_for() -> None:
    """What the bot itself finds missing is told beside the agent's questions."""
    shown = before_the_change(
        Verdict.NOT_REPRODUCED,
        GREEN,
        gpu=None,
        driver=None,
        cuda=None,
        repro_source="agent",
        signature=proofs.SIGNATURE.model_copy(update={"source": "agent"}),
    )
    outcome = _outcome(Verdict.NOT_REPRODUCED, summary="")
    assert _closing(shown, outcome, missing="The shape of the batch.") == snapshot("""\
@alice I ran the agent's repro myself, as the issue has none that I can run: it passes at base in 1 of 1 run. So I could not reproduce the bug here.

What I tried: `python repro.py`, once, at base, on a machine without a GPU, torch `2.13.0+cu130`, commit `0123456789ab`, Python `3.12.9`. I looked for `AssertionError: the caller's batch was changed`, by the agent's word.

What is missing in the issue:
- a whole program that shows the bug when it is run as it stands (I ran one that the agent wrote from its text)
- what it prints when it fails: the exception with its traceback, or the values

What the agent found missing in the issue:
> The shape of the batch.

The report, with all that I ran, is in [the comment above](https://github.com/pytorch/pytorch/issues/7#issuecomment-2). No person has checked what the agent says there.\
""")
    nothing = before_the_change(
        Verdict.NOT_REPRODUCED,
        red=None,
        repro_source="none",
        signature=None,
        why="The issue holds no program, and the agent wrote none.",
    )
    assert _closing(nothing, outcome) == snapshot("""\
@alice The issue holds no program, and the agent wrote none. So I could not reproduce the bug here.

What I tried: nothing, as there is no program to run. What I had: `NVIDIA H100 80GB HBM3`, driver `580.65`, CUDA `13.0`, torch `2.13.0+cu130`, commit `0123456789ab`, Python `3.12.9`.

What is missing in the issue:
- a whole program that shows the bug when it is run as it stands (there is none that I could run)
- what it prints when it fails: the exception with its traceback, or the values

The report, with all that I ran, is in [the comment above](https://github.com/pytorch/pytorch/issues/7#issuecomment-2). No person has checked what the agent says there.\
""")
    printing = before_the_change(
        Verdict.NOT_REPRODUCED, GREEN, repro_source="agent", repro_diff="+assert x\n"
    )
    assert _closing(printing, outcome).split("\n\n")[2] == snapshot("""\
What is missing in the issue:
- what the right values are: the program only prints, so I ran it as the agent completed it\
""")
    whole = before_the_change(Verdict.NOT_REPRODUCED, OTHER)
    assert _closing(whole, outcome) == snapshot("""\
@alice I ran the repro myself: it fails at base in another way in 1 of 1 run: `ModuleNotFoundError: No module named 'triton'`. So I could not reproduce the bug here.

What I tried: `python repro.py`, once, at base, on `NVIDIA H100 80GB HBM3`, driver `580.65`, CUDA `13.0`, torch `2.13.0+cu130`, commit `0123456789ab`, Python `3.12.9`. I looked for `AssertionError: the caller's batch was changed`, as the issue says.

Neither I nor the agent can name what is missing in the issue. If it still happens for you, please add the whole output, the version of PyTorch and the hardware.

The report, with all that I ran, is in [the comment above](https://github.com/pytorch/pytorch/issues/7#issuecomment-2). No person has checked what the agent says there.\
""")


def test_closing_an_agent_that_claims_a_failure() -> None:
    """A claim of `reproduced` for a program that passes is told as such."""
    shown = before_the_change(Verdict.NOT_REPRODUCED, GREEN, GREEN, GREEN)
    outcome = _outcome(Verdict.REPRODUCED, summary="It fails for me.")
    assert _closing(shown, outcome, missing="Nothing.") == snapshot("""\
@alice I ran the repro myself: it passes at base in 3 of 3 runs. So I could not reproduce the bug here. The agent claimed `reproduced`; I saw `not_reproduced`.

What I tried: `python repro.py`, 3 times, at base, on `NVIDIA H100 80GB HBM3`, driver `580.65`, CUDA `13.0`, torch `2.13.0+cu130`, commit `0123456789ab`, Python `3.12.9`. I looked for `AssertionError: the caller's batch was changed`, as the issue says.

What the agent found missing in the issue:
> Nothing.

The agent's own account, which is not what I saw:
> It fails for me.

The report, with all that I ran, is in [the comment above](https://github.com/pytorch/pytorch/issues/7#issuecomment-2). No person has checked what the agent says there.\
""")


def test_closing_by_mode() -> None:
    """A bug that is only to be shown is not told as one without a fix."""
    shown = before_the_change(Verdict.REPRODUCED, RED, RED, RED)
    outcome = _outcome(Verdict.REPRODUCED, summary="")
    assert [_closing(shown, outcome, mode=mode).partition("\n")[0] for mode in Mode] == snapshot(
        [
            "@alice I ran the repro myself: it fails at base in 3 of 3 runs.",
            "@alice I ran the repro myself: it fails at base in 3 of 3 runs. The agent looked for its cause.",
            "@alice I ran the repro myself: it fails at base in 3 of 3 runs. The agent has no fix for it.",
        ]
    )


def test_closing_what_could_not_be_proved() -> None:
    """One line says what is missing here; all of it is the agent's word, and told so."""
    shown = before_the_change(
        Verdict.FIXED, red=None, is_proved=False, why="It needs Apple's MPS, this machine has none."
    )
    assert _closing(shown, _outcome(Verdict.FIXED)) == snapshot("""\
@alice I could not prove this here. It needs Apple's MPS, this machine has none. `fixed` is the agent's word.

In the agent's words:
> `unpad_sequence` transposed the caller's batch. It works on a view now.

The report is in [the comment above](https://github.com/pytorch/pytorch/issues/7#issuecomment-2). All of this is the agent's own account: neither I nor a person has checked it.\
""")


def test_closing_an_issue_without_a_program() -> None:
    """A job that had nothing to run says that a program is missing, and what it had."""
    shown = before_the_change(
        Verdict.NOT_REPRODUCED,
        red=None,
        is_proved=False,
        repro_source="none",
        repro_sha256=None,
        signature=None,
        why="There is no program that could be run.",
    )
    assert _closing(shown, _outcome(None, summary="")) == snapshot("""\
@alice The agent ended without a verdict. I could not prove this here. There is no program that could be run.

What I tried: nothing, as there is no program to run. What I had: `NVIDIA H100 80GB HBM3`, driver `580.65`, CUDA `13.0`, torch `2.13.0+cu130`, commit `0123456789ab`, Python `3.12.9`.

What is missing in the issue:
- a whole program that shows the bug when it is run as it stands (there is none that I could run)
- what it prints when it fails: the exception with its traceback, or the values

The report is in [the comment above](https://github.com/pytorch/pytorch/issues/7#issuecomment-2).\
""")
    assert _report(shown, _outcome(None)).partition("It took 46 min.")[2] == snapshot("""\


<details><summary>How this was checked</summary>

There is no program that could be run.

- The base is commit `0123456789abcdef0123456789abcdef01234567`.
- All of it took 5 min.

</details>\
""")


def test_closing_what_the_bot_could_not_tell() -> None:
    """A claim that could not be confirmed is no contradiction."""
    shown = before_the_change(Verdict.ERROR, red=None, why="The machine went away.")
    assert _closing(shown, _outcome(Verdict.FIXED)) == snapshot("""\
@alice I could not tell. The machine went away. The agent claimed `fixed`; I could not confirm it.

The agent's own account, which I could not confirm:
> `unpad_sequence` transposed the caller's batch. It works on a view now.

The report, with all that I ran, is in [the comment above](https://github.com/pytorch/pytorch/issues/7#issuecomment-2). No person has checked what the agent says there.\
""")


def test_closing_an_agent_without_a_verdict() -> None:
    """An agent that says nothing is told of as such, beside what the bot saw."""
    shown = before_the_change(Verdict.REPRODUCED, RED, RED, RED)
    assert _closing(shown, _outcome(None, summary="")) == snapshot("""\
@alice The agent ended without a verdict. I ran the repro myself: it fails at base in 3 of 3 runs.

The report, with all that I ran, is in [the comment above](https://github.com/pytorch/pytorch/issues/7#issuecomment-2).\
""")


def test_the_report_of_a_fix_that_holds() -> None:
    """The verdict, the table, the agent's report, and how it was checked."""
    texts = render.Texts(report="## Summary\nIt works, @bob.", patch="--- a/x.py\n+++ b/x.py\n")
    assert _report(proof(), _outcome(Verdict.FIXED, pull=PULL), texts=texts) == snapshot("""\
<!-- ptq:progress job=20260102-pytorch-7 run=1 -->
**This investigation has finished** (job `20260102-pytorch-7`), as asked for by alice.

- ✓ Reserve a machine: `pool-1`, `1 × h100`, 1 min
- ✓ Prepare PyTorch on it: torch `2.13.0+cu130`, 2 min
- ✓ Investigate: 41 of 100 turns, $3.20, 37 min
- ✓ Prove the fix: 6 min
- ✓ Give the machine back: 2 s
- ✓ Check and publish the patch: 4 s

I ran the repro myself: it fails at base in 3 of 3 runs, and passes with the change in 3 of 3. Draft pull request: [#8](https://github.com/pytorch/pytorch/pull/8).

| what I ran | what I saw |
|---|---|
| the repro at base | **fails** 3 of 3: `AssertionError: the caller's batch was changed` |
| the repro with the change | **passes** 3 of 3 |
| the tests of the change | fail at base, **pass** with the change |
| the tests next to it | 2 files: none broke |
| where | `NVIDIA H100 80GB HBM3`, driver `580.65`, CUDA `13.0`, torch `2.13.0+cu130`, commit `0123456789ab`, Python `3.12.9` |

Ended 2026-01-02 15:50 UTC. It took 46 min.

<details><summary>Report by the agent (AI-generated, not reviewed by a person)</summary>

#### Summary
It works, `@bob`.

</details>

<details><summary>How this was checked</summary>

It fails without the change and passes with it.

| command | where | exit status | each took |
|---|---|---|---|
| `python repro.py` | at base | 1 (3 times) | 2.1 s |
| `python repro.py` | with the change | 0 (3 times) | 2.2 s |

- Looked for: `AssertionError: the caller's batch was changed` (an assertion of the repro), as the issue says.
- The repro, from the issue: SHA-256 `5555555555555555555555555555555555555555555555555555555555555555`.
- The change, as it is shown here: SHA-256 `aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa`.
- The base is commit `0123456789abcdef0123456789abcdef01234567`. Nothing ran in the agent's own worktree.
- All of it took 5 min.

| test file | why this one | at base | with the change |
|---|---|---|---|
| `test/nn/test_packed_sequence.py` | It is named for `torch/nn/utils/rnn.py`. | failed | passed |
| `test/test_nn.py` | It is named for `torch/nn/utils/rnn.py`. | passed | passed |
| `test/test_jit.py` | It is named for `torch/nn/utils/rnn.py`. | passed | passed |

The end of the output at base:

```
Traceback (most recent call last):
  File "repro.py", line 7, in <module>
AssertionError: the caller's batch was changed: [[1.0, 4.0]] became [[1.0, 2.0]]
```

</details>

<details><summary>Patch</summary>

```diff
--- a/x.py
+++ b/x.py
```

</details>\
""")


def test_the_report_of_a_fix_that_does_nothing() -> None:
    """The fresh output is shown, and so is what the agent did to the repro."""
    shown = proof(
        Verdict.NOT_FIXED,
        green=ran(RED, GREEN, RED, GREEN, GREEN),
        neighbours=(),
        repro_source="agent",
        repro_diff="--- a/repro.py\n+++ b/repro.py\n@@ -1 +1,2 @@\n print(x)\n+assert x\n",
        slowdown=1.5,
        retried=True,
    )
    assert _report(shown, _outcome(Verdict.FIXED, no_pull_reason="It does not hold.")) == snapshot("""\
<!-- ptq:progress job=20260102-pytorch-7 run=1 -->
**This investigation has finished** (job `20260102-pytorch-7`), as asked for by alice.

- ✓ Reserve a machine: `pool-1`, `1 × h100`, 1 min
- ✓ Prepare PyTorch on it: torch `2.13.0+cu130`, 2 min
- ✓ Investigate: 41 of 100 turns, $3.20, 37 min
- ✓ Prove the fix: 6 min
- ✓ Give the machine back: 2 s
- ✓ Check and publish the patch: 4 s

I ran the issue's repro myself, as the agent completed it: it fails at base in 3 of 3 runs, and with the change it still fails in 2 of 5. The agent had a second try, with what I saw in the first. The agent claimed `fixed`; I saw `not_fixed`. No pull request was opened. It does not hold.

| what I ran | what I saw |
|---|---|
| the repro at base | **fails** 3 of 3: `AssertionError: the caller's batch was changed` |
| the repro with the change | **fails** 2 of 5: `AssertionError: the caller's batch was changed`; **passes** 3 of 5 |
| the tests next to it | none found |
| speed of the repro | **50 % slower** with the change |
| where | `NVIDIA H100 80GB HBM3`, driver `580.65`, CUDA `13.0`, torch `2.13.0+cu130`, commit `0123456789ab`, Python `3.12.9` |

Ended 2026-01-02 15:50 UTC. It took 46 min.

<details><summary>How this was checked</summary>

It fails without the change and passes with it.

| command | where | exit status | each took |
|---|---|---|---|
| `python repro.py` | at base | 1 (3 times) | 2.1 s |
| `python repro.py` | with the change | 1 (2 times), 0 (3 times) | 2.1 s to 2.2 s |

- Looked for: `AssertionError: the caller's batch was changed` (an assertion of the repro), as the issue says.
- The repro, from the issue, completed by the agent: SHA-256 `5555555555555555555555555555555555555555555555555555555555555555`.
- The change, as it is shown here: SHA-256 `aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa`.
- The base is commit `0123456789abcdef0123456789abcdef01234567`. Nothing ran in the agent's own worktree.
- All of it took 5 min.

The end of the output at base:

```
Traceback (most recent call last):
  File "repro.py", line 7, in <module>
AssertionError: the caller's batch was changed: [[1.0, 4.0]] became [[1.0, 2.0]]
```

The end of the output with the change:

```
Traceback (most recent call last):
  File "repro.py", line 7, in <module>
AssertionError: the caller's batch was changed: [[1.0, 4.0]] became [[1.0, 2.0]]
```

What the agent changed in the issue's repro (AI-generated):

```diff
--- a/repro.py
+++ b/repro.py
@@ -1 +1,2 @@
 print(x)
+assert x
```

</details>\
""")


def test_the_report_of_a_machine_that_is_broken() -> None:
    """The agent's repro is shown where the issue has none, and what the trivial program said."""
    shown = before_the_change(
        Verdict.ENVIRONMENT,
        OTHER,
        OTHER,
        sanity=OTHER,
        repro_source="agent",
        signature=None,
        why="It fails before the repro begins",
    )
    texts = render.Texts(repro="import torch\n\nassert torch.ones(1) == 1\n")
    assert _report(shown, _outcome(Verdict.ENVIRONMENT), texts=texts) == snapshot("""\
<!-- ptq:progress job=20260102-pytorch-7 run=1 -->
**This investigation has finished** (job `20260102-pytorch-7`), as asked for by alice.

- ✓ Reserve a machine: `pool-1`, `1 × h100`, 1 min
- ✓ Prepare PyTorch on it: torch `2.13.0+cu130`, 2 min
- ✓ Investigate: 41 of 100 turns, $3.20, 37 min
- ✓ Prove the fix: 6 min
- ✓ Give the machine back: 2 s
- ✓ Check and publish the patch: 4 s

I ran the agent's repro myself, as the issue has none that I can run: it fails at base in 2 of 2 runs, and a trivial program on an untouched tree fails too. So this machine cannot show the bug.

| what I ran | what I saw |
|---|---|
| the repro at base | **fails** 2 of 2: `ModuleNotFoundError: No module named 'triton'` |
| where | `NVIDIA H100 80GB HBM3`, driver `580.65`, CUDA `13.0`, torch `2.13.0+cu130`, commit `0123456789ab`, Python `3.12.9` |

Ended 2026-01-02 15:50 UTC. It took 46 min.

<details><summary>How this was checked</summary>

It fails before the repro begins.

| command | where | exit status | each took |
|---|---|---|---|
| `python repro.py` | at base | 1 (2 times) | 0.4 s |
| a trivial program | on an untouched tree | 1 | 0.4 s |

- The repro, written by the agent: SHA-256 `5555555555555555555555555555555555555555555555555555555555555555`.
- The base is commit `0123456789abcdef0123456789abcdef01234567`. Nothing ran in the agent's own worktree.
- All of it took 5 min.

The end of the output at base:

```
ModuleNotFoundError: No module named 'triton'
```

The end of the output of the trivial program:

```
ModuleNotFoundError: No module named 'triton'
```

The agent's repro, as the issue has none that I can run (AI-generated):

```python
import torch

assert torch.ones(1) == 1
```

</details>\
""")


def test_test_files_are_counted_from_the_twelfth() -> None:
    """A long list is no reason to leave out how it was checked."""
    many = proof(neighbours=tuple(proofs.near(f"test/test_{n}.py") for n in range(20)))
    text = _report(many, _outcome(Verdict.FIXED))
    assert "| `test/test_11.py` |" in text
    assert "| `test/test_12.py` |" not in text
    assert "\n\nAnd 8 more files." in text


def _running(state: JobState, *, mode: Mode = Mode.FIX, will_prove: bool = True) -> str:
    order = list(TIMES)
    view = render.ProgressView(
        job=_job(mode),
        state=state,
        now=START + timedelta(minutes=50),
        times={each: TIMES[each] for each in order[: order.index(state) + 1]},
        will_prove=will_prove,
    )
    return render.progress(view, redactor=REDACTOR)


def test_a_proof_that_is_to_come() -> None:
    """In fix mode the checklist names the proof before it begins, if there will be one."""
    line = "- – Prove the fix"
    assert line in _running(JobState.PREPARING)
    assert line not in _running(JobState.PREPARING, will_prove=False)
    assert "Run the repro" not in _running(JobState.PREPARING, mode=Mode.REPRODUCE)


@pytest.mark.parametrize("mode", Mode)
def test_a_proof_that_runs(mode: Mode) -> None:
    """The checklist and the line under it say what the bot does itself."""
    text = _running(JobState.PROVING, mode=mode, will_prove=False)
    assert (
        text.partition("\n\n")[2]
        == {
            Mode.REPRODUCE: snapshot("""\
- ✓ Reserve a machine: `1 × h100`, 1 min
- ✓ Prepare PyTorch on it: 2 min
- ✓ Investigate: 37 min
- ▶ Run the repro myself: 10 min
- – Give the machine back
- – Check and publish the patch

The agent has ended. I am running the repro myself, at base.

The report will appear in this comment, and a short answer under it. Last update: 2026-01-02 15:54 UTC.\
"""),
            Mode.DIAGNOSE: snapshot("""\
- ✓ Reserve a machine: `1 × h100`, 1 min
- ✓ Prepare PyTorch on it: 2 min
- ✓ Investigate: 37 min
- ▶ Run the repro myself: 10 min
- – Give the machine back
- – Check and publish the patch

The agent has ended. I am running the repro myself, at base.

The report will appear in this comment, and a short answer under it. Last update: 2026-01-02 15:54 UTC.\
"""),
            Mode.FIX: snapshot("""\
- ✓ Reserve a machine: `1 × h100`, 1 min
- ✓ Prepare PyTorch on it: 2 min
- ✓ Investigate: 37 min
- ▶ Prove the fix: 10 min
- – Give the machine back
- – Check and publish the patch

The agent has ended. I am running the repro myself, at base and with its change.

The report will appear in this comment, and a short answer under it. Last update: 2026-01-02 15:54 UTC.\
"""),
        }[mode]
    )


def test_an_agent_with_a_second_try() -> None:
    """What is done again has no time yet."""
    view = render.ProgressView(
        job=JOB,
        state=JobState.INVESTIGATING,
        now=START + timedelta(minutes=50),
        times={state: TIMES[state] for state in list(TIMES)[:4]},
        will_prove=True,
    )
    shown = render.progress(view, redactor=REDACTOR)
    assert [line for line in shown.split("\n") if line.startswith("- ")] == snapshot(
        [
            "- ✓ Reserve a machine: `1 × h100`, 1 min",
            "- ✓ Prepare PyTorch on it: 2 min",
            "- ▶ Investigate: 47 min",
            "- – Prove the fix",
            "- – Give the machine back",
            "- – Check and publish the patch",
        ]
    )


def test_a_proof_that_was_not_made() -> None:
    """A job that ended before a proof has no line for it."""
    times = {state: when for state, when in TIMES.items() if state is not JobState.PROVING}
    view = render.ProgressView(
        job=JOB,
        state=JobState.FINISHED,
        now=START,
        times=times,
        will_prove=True,
        outcome=Outcome(state=JobState.FINISHED),
    )
    assert "Prove" not in render.progress(view, redactor=REDACTOR)


def test_the_report_says_how_the_agent_ended() -> None:
    """The limit that an agent met is told in the report as in the closing comment."""
    early = Outcome(state=JobState.FAILED, partial=True)
    said = {
        end.value: _report(None, early, agent_end=end).split("\n\n")[2]
        for end in AgentEnd
        if end is not AgentEnd.SUCCESS
    }
    assert said == snapshot(
        {
            "max_turns": "The agent used up its 100 turns before it was done. The run was cut short, so what there is may be incomplete.",
            "max_usd": "The agent used up its money before it was done. The run was cut short, so what there is may be incomplete.",
            "api_error": "The model behind the agent failed or refused, so the agent ended early. The run was cut short, so what there is may be incomplete.",
            "stopped": "The agent was stopped before it was done. The run was cut short, so what there is may be incomplete.",
            "timed_out": "The time limit (4 hours) ran out before the agent was done. The run was cut short, so what there is may be incomplete.",
            "crashed": "The agent crashed before it was done. The run was cut short, so what there is may be incomplete.",
        }
    )
    cancelled = Outcome(state=JobState.CANCELLED)
    assert "was stopped" not in _report(None, cancelled, agent_end=AgentEnd.STOPPED)


def test_a_pull_request_says_how_it_was_checked() -> None:
    """The proof stands in it, with the commands; the agent's word is told apart."""
    view = render.PullRequestView(
        job=JOB,
        title="Copy before transposing in unpad_sequence",
        body="It copies.",
        tests=("python repro.py",),
        progress=AgentProgress(turns=41, usd=3.2),
        torch=TorchBuild(
            version="2.13.0+cu130",
            wheel_commit="0" * 40,
            base_commit="0123456789abcdef0123456789abcdef01234567",
            python="3.12.9",
            gpu="NVIDIA H100 80GB HBM3",
        ),
        progress_url=REPORT_URL,
        proof=proof(),
    )
    _, body = render.pull_request(view, redactor=REDACTOR)
    assert body == snapshot("""\
<!-- ptq:pull job=20260102-pytorch-7 run=1 -->
For #7.

It copies.

---

**An AI agent wrote this change and the text above. No person has reviewed the diagnosis, the change or its tests yet.**

- @alice asked for it and is responsible for it: please review it before you mark it as ready.
- Made by `claude` (model `opus`) in 41 turns for $3.20, on `NVIDIA H100 80GB HBM3`, with torch `2.13.0+cu130` at commit `0123456789ab`.
- The agent says that it ran `python repro.py`.
- [The agent's report](https://github.com/pytorch/pytorch/issues/7#issuecomment-2) has the details.

### How this was checked

I ran the repro myself: it fails at base in 3 of 3 runs, and passes with the change in 3 of 3. The patch applies to the base commit, and touches only files that it may touch. The repro and what it printed are in [the report](https://github.com/pytorch/pytorch/issues/7#issuecomment-2).

| what I ran | what I saw |
|---|---|
| the repro at base | **fails** 3 of 3: `AssertionError: the caller's batch was changed` |
| the repro with the change | **passes** 3 of 3 |
| the tests of the change | fail at base, **pass** with the change |
| the tests next to it | 2 files: none broke |
| where | `NVIDIA H100 80GB HBM3`, driver `580.65`, CUDA `13.0`, torch `2.13.0+cu130`, commit `0123456789ab`, Python `3.12.9` |

<details><summary>Commands, exit statuses and hashes</summary>

| command | where | exit status | each took |
|---|---|---|---|
| `python repro.py` | at base | 1 (3 times) | 2.1 s |
| `python repro.py` | with the change | 0 (3 times) | 2.2 s |

- Looked for: `AssertionError: the caller's batch was changed` (an assertion of the repro), as the issue says.
- The repro, from the issue: SHA-256 `5555555555555555555555555555555555555555555555555555555555555555`.
- The change, as it is shown here: SHA-256 `aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa`.
- The base is commit `0123456789abcdef0123456789abcdef01234567`. Nothing ran in the agent's own worktree.
- All of it took 5 min.

</details>\
""")
    without = render.PullRequestView(job=JOB, title=view.title, body=view.body)
    assert render.commit_message(view, redactor=REDACTOR) == render.commit_message(
        without, redactor=REDACTOR
    )


LONG = ["x" * 400_000, "|" * 200_000, "<" * 200_000, "\U0001f525" * 200_000, "```\n" * 50_000]


@pytest.mark.parametrize("text", LONG, ids=["letters", "pipes", "marks", "wide", "fences"])
def test_the_table_is_never_dropped(text: str) -> None:
    """However long what others wrote is, the proof stays, whole, in comment and pull request."""
    trial = RED.model_copy(update={"output": text})
    name = text[:5000]
    shown = proof(
        Verdict.BROKE_OTHERS,
        why=name,
        repro_diff=text,
        signature=proofs.SIGNATURE.model_copy(update={"message": name}),
        red=ran(*[trial] * 20),
        green=ran(*[trial] * 20),
        neighbours=tuple(
            proofs.near(name, "passed", "failed", broken=(name,) * 9) for _ in range(40)
        ),
        gpu=name,
        driver=name,
        torch_version=name,
        repro_source="agent",
    )
    outcome = _outcome(Verdict.FIXED, summary=text[:4000])
    texts = render.Texts(report=text, patch=text, worklog=text, log=text, repro=text)
    report = _report(shown, outcome, texts=texts)
    assert fits(report)
    assert render.proof_table(shown, redactor=REDACTOR) in report
    assert report.count("<details>") == report.count("</details>") == 2
    assert "the middle of the report was left out" in report
    assert fits(_closing(shown, outcome, missing=text))
    view = render.PullRequestView(job=JOB, body=text, title=text, tests=(text[:500],), proof=shown)
    _, body = render.pull_request(view, redactor=REDACTOR)
    assert fits(body)
    assert render.proof_table(shown, redactor=REDACTOR) in body


def test_secrets_are_cut_out_before_outputs_are_cut() -> None:
    """Half a secret at the edge of what is shown is no secret that is shown."""
    output = "hunter2hunter2" * 2 + "x" * 1493
    shown = before_the_change(Verdict.REPRODUCED, RED.model_copy(update={"output": output}))
    assert "hunter2" not in _report(shown, _outcome(None))
