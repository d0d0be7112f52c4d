"""No comment is longer than GitHub takes."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot import render
from bot.models import (
    JobId,
    JobState,
    Outcome,
    Verdict,
)
from bot.redaction import Redactor
from bot.render.report import fits

REDACTOR = Redactor(["hunter2hunter2"])
START = datetime(2026, 1, 2, 15, 4, tzinfo=UTC)
JOB = render.Job(
    id=JobId("20260102-pytorch-7"),
    issue_number=7,
    requester="alice",
    command_url="https://github.com/pytorch/pytorch/issues/7#issuecomment-1",
)


def _progress(view: render.ProgressView) -> str:
    return render.progress(view, redactor=REDACTOR)


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
