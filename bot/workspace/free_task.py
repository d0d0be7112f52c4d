"""A free task: what somebody with the right to ask wants done, in place of an issue's own bug."""

from __future__ import annotations

from string import Template
from typing import TYPE_CHECKING

from bot import assets
from bot.hidden_text import strip_invisible
from bot.models import IssueSnapshot

if TYPE_CHECKING:
    from bot.models import JobRequest

NO_ISSUE = 0
"""The number of the issue that a task stands for."""
_ASSOCIATION = "OWNER"


def of_task(request: JobRequest) -> IssueSnapshot:
    """Return the issue that a task stands for: its text is where a repro and a failure are read."""
    text = strip_invisible(request.task).strip()
    return IssueSnapshot(
        repository=request.repository,
        number=request.issue_number or NO_ISSUE,
        url=request.command_url or "",
        title=text.partition("\n")[0],
        body=text,
        author=request.requester,
        association=_ASSOCIATION,
        created_at=request.asked_at,
        frozen_at=request.asked_at,
    )


def subject(request: JobRequest, issue: IssueSnapshot) -> IssueSnapshot:
    """Return what says how the bug is shown: the task where there is one, else the issue."""
    return of_task(request) if request.task else issue


def order(request: JobRequest, *, may_build: bool) -> str:
    """Return what to do first and what next: a task is no bug to be reproduced."""
    text = assets.text("prompts", "adhoc.md" if request.task else "order.md")
    languages = "in Python where it can be" if may_build else "in Python"
    return Template(text).substitute(languages=languages)
