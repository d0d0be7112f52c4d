"""A pull request that says how it was checked, and how long any of it may be."""

from __future__ import annotations

import pytest
from inline_snapshot import snapshot

from bot import render
from bot.models import AgentProgress, TorchBuild, Verdict
from bot.render.report import fits
from tests import proof_messages as messages, proofs
from tests.proof_messages import REDACTOR
from tests.proofs import RED, before_the_change, proof, ran

LONG = ["x" * 400_000, "|" * 200_000, "<" * 200_000, "\U0001f525" * 200_000, "```\n" * 50_000]


def test_a_pull_request_says_how_it_was_checked() -> None:
    """The proof stands in it, with the commands; the agent's word is told apart."""
    view = render.PullRequestView(
        job=messages.JOB,
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
        progress_url=messages.REPORT_URL,
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
    without = render.PullRequestView(job=messages.JOB, title=view.title, body=view.body)
    assert render.commit_message(view, redactor=REDACTOR) == render.commit_message(
        without, redactor=REDACTOR
    )


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
    outcome = messages.outcome(Verdict.FIXED, summary=text[:4000])
    texts = render.Texts(report=text, patch=text, worklog=text, log=text, repro=text)
    report = messages.report(shown, outcome, texts=texts)
    assert fits(report)
    assert render.proof_table(shown, redactor=REDACTOR) in report
    assert report.count("<details>") == report.count("</details>") == 2
    assert "the middle of the report was left out" in report
    assert fits(messages.closing(shown, outcome, missing=text))
    view = render.PullRequestView(
        job=messages.JOB, body=text, title=text, tests=(text[:500],), proof=shown
    )
    _, body = render.pull_request(view, redactor=REDACTOR)
    assert fits(body)
    assert render.proof_table(shown, redactor=REDACTOR) in body


def test_secrets_are_cut_out_before_outputs_are_cut() -> None:
    """Half a secret at the edge of what is shown is no secret that is shown."""
    output = "hunter2hunter2" * 2 + "x" * 1493
    shown = before_the_change(Verdict.REPRODUCED, RED.model_copy(update={"output": output}))
    assert "hunter2" not in messages.report(shown, messages.outcome(None))
