"""A draft pull request and its commit, word for word."""

from __future__ import annotations

from hypothesis import given, settings, strategies as st
from inline_snapshot import snapshot

from bot import render
from bot.models import AgentProgress, JobId, TorchBuild
from bot.redaction import Redactor
from bot.render.report import fits

REDACTOR = Redactor(["hunter2hunter2"])
JOB = render.Job(
    id=JobId("20260102-pytorch-7"),
    issue_number=7,
    requester="alice",
    command_url="https://github.com/pytorch/pytorch/issues/7#issuecomment-1",
)
TORCH = TorchBuild(
    version="2.13.0+cu130",
    wheel_commit="0" * 40,
    base_commit="0123456789abcdef0123456789abcdef01234567",
    python="3.12.1",
    gpu="NVIDIA H100 80GB HBM3",
)


def test_a_pull_request_says_whose_it_is() -> None:
    """It names the person responsible, how it was made, and what nobody has reviewed."""
    view = render.PullRequestView(
        job=JOB,
        title="Fix #7: copy before transposing in unpad_sequence",
        body="## Summary\nSummary: it copies, @bob.\nFixes #7\nTest Plan:\n```\npytest test/test_nn.py\n```",
        tests=("pytest test/nn/test_packed_sequence.py", "python repro.py"),
        progress=AgentProgress(turns=41, usd=3.2),
        torch=TORCH,
        progress_url="https://github.com/pytorch/pytorch/issues/7#issuecomment-2",
    )
    title, body = render.pull_request(view, redactor=REDACTOR)
    assert title == snapshot("Fix issue 7: copy before transposing in unpad_sequence")
    assert body == snapshot("""\
<!-- ptq:pull job=20260102-pytorch-7 run=1 -->
For #7.

#### Summary
`Summary:` it copies, `@bob`.
Fixes `#7`
`Test Plan:`
```
pytest test/test_nn.py
```

---

**An AI agent wrote this change and the text above. No person has reviewed the diagnosis, the change or its tests yet.**

- @alice [asked for](https://github.com/pytorch/pytorch/issues/7#issuecomment-1) it and is responsible for it: please review it before you mark it as ready.
- Made by `claude` (model `opus`) in 41 turns for $3.20, on `NVIDIA H100 80GB HBM3`, with torch `2.13.0+cu130` at commit `0123456789ab`.
- The agent says that it ran `pytest test/nn/test_packed_sequence.py`, `python repro.py`.
- What ptq itself has checked: the patch applies to that commit, and touches only files that it may touch. It has not run the tests.
- [The agent's report](https://github.com/pytorch/pytorch/issues/7#issuecomment-2) has the details.\
""")


def test_a_pull_request_of_an_agent_that_wrote_nothing() -> None:
    """Title and body are there all the same."""
    title, body = render.pull_request(render.PullRequestView(job=JOB), redactor=REDACTOR)
    assert title == snapshot("Proposed change for issue 7")
    assert body == snapshot("""\
<!-- ptq:pull job=20260102-pytorch-7 run=1 -->
For #7.

The agent wrote no description of its change.

---

**An AI agent wrote this change and the text above. No person has reviewed the diagnosis, the change or its tests yet.**

- @alice [asked for](https://github.com/pytorch/pytorch/issues/7#issuecomment-1) it and is responsible for it: please review it before you mark it as ready.
- Made by `claude` (model `opus`).
- The agent names no test that it ran.
- What ptq itself has checked: the patch applies to that commit, and touches only files that it may touch. It has not run the tests.\
""")


def test_a_commit_message_says_who_wrote_it() -> None:
    """Nobody is called or credited by it, nothing is closed by it."""
    view = render.PullRequestView(
        job=JOB,
        title="Fix #7",
        commit_message="Fix #7: copy before transposing in unpad_sequence, as it changed the caller's tensor\n\nThe caller's tensor was transposed.\n\nSigned-off-by: A <a@b.c>",
    )
    assert render.commit_message(view, redactor=REDACTOR) == snapshot("""\
Fix issue 7: copy before transposing in unpad_sequence, as it changed t…

The caller's tensor was transposed.

For #7. Written by an AI agent (claude, model opus),
asked for by alice. Not reviewed by a person yet.
""")
    untold = render.commit_message(render.PullRequestView(job=JOB), redactor=REDACTOR)
    assert untold == snapshot("""\
Proposed change for issue 7

For #7. Written by an AI agent (claude, model opus),
asked for by alice. Not reviewed by a person yet.
""")


def test_many_tests_are_counted() -> None:
    """Ten commands are shown, the others counted."""
    view = render.PullRequestView(job=JOB, tests=tuple(f"pytest {n}" for n in range(12)))
    _, body = render.pull_request(view, redactor=REDACTOR)
    assert "`pytest 9`, and 2 more commands." in body


@given(st.text(max_size=200), st.text(max_size=400))
@settings(max_examples=200, deadline=None)
def test_any_text_of_an_agent_makes_a_pull_request(title: str, body: str) -> None:
    """A title is one line of at most 100 characters, a subject of at most 72, a body fits."""
    view = render.PullRequestView(job=JOB, title=title, body=body * 100, commit_message=body)
    shown, text = render.pull_request(view, redactor=REDACTOR)
    assert 0 < len(shown) <= 100
    assert len(shown.splitlines()) == 1
    assert fits(text)
    subject = render.commit_message(view, redactor=REDACTOR).split("\n")[0]
    assert 0 < len(subject) <= 72
