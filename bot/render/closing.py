"""The one closing comment: short, and the only one that notifies the person who asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.models import AgentEnd, JobState, Verdict
from bot.render.endings import agent_ended
from bot.render.markers import closing_marker, marked
from bot.render.phrases import hours, mention, name
from bot.render.sanitise import inline
from bot.render.verdicts import verdict_sentence

if TYPE_CHECKING:
    from bot.redaction import Redactor
    from bot.render.views import ClosingView

_LONGEST = 700
"""Characters of the agent's summary."""


def closing(view: ClosingView, *, redactor: Redactor) -> str:
    """Return the closing comment, with its marker: how it ended, what is claimed, where it is."""
    first = [_ending(view)]
    outcome = view.outcome
    if outcome.verdict is not None:
        first.append(verdict_sentence(outcome.verdict, view.job.options))
    first.append(_pull(view))
    parts = [f"{mention(view.job.requester)} {' '.join(part for part in first if part)}"]
    parts.extend(_quoted("In its words", outcome.summary, redactor))
    if outcome.verdict is Verdict.NOT_REPRODUCED:
        parts.extend(_quoted("What it found missing in the issue", view.missing, redactor))
    parts.append(_ground(view))
    return marked(
        closing_marker(view.job.id, run=view.job.run), "\n\n".join(part for part in parts if part)
    )


def _ending(view: ClosingView) -> str:
    """Say how the job ended where it did not simply finish."""
    outcome = view.outcome
    match outcome.state:
        case JobState.CANCELLED:
            who = "somebody" if view.cancelled_by is None else name(view.cancelled_by)
            return f"This job was stopped by {who} before it was done."
        case JobState.TIMED_OUT:
            limit = hours(view.job.options.hours)
            return f"The time limit ({limit}) ran out before the agent was done."
        case JobState.REFUSED:
            return outcome.problem or "This job was refused."
        case JobState.FAILED:
            return _failure(view)
        case _:
            if view.agent_end is None or view.agent_end is AgentEnd.SUCCESS:
                silent = outcome.verdict is None
                return "The agent ended without a verdict." if silent else ""
            return agent_ended(view.agent_end, view.job.options)


def _failure(view: ClosingView) -> str:
    if view.agent_end is not None and view.agent_end is not AgentEnd.SUCCESS:
        sentence = agent_ended(view.agent_end, view.job.options)
        return f"{sentence} {view.outcome.problem}".strip()
    problem = view.outcome.problem or "Something went wrong inside ptq."
    return f"This job failed. {problem}"


def _pull(view: ClosingView) -> str:
    outcome = view.outcome
    if outcome.pull is not None:
        kind = "draft pull request" if outcome.pull.draft else "pull request"
        return f"Its change is in [{kind} #{outcome.pull.number}]({outcome.pull.url})."
    if outcome.no_pull_reason:
        return f"I opened no pull request. {outcome.no_pull_reason}"
    return ""


def _quoted(label: str, text: str, redactor: Redactor) -> list[str]:
    line = inline(text, redactor=redactor, limit=_LONGEST)
    return [f"{label}:\n> {line}"] if line else []


def _ground(view: ClosingView) -> str:
    """Say where the whole is, and that it is a claim."""
    link = ""
    if view.progress_url is not None:
        what = "The report" if view.has_report else "What is known"
        link = f"{what} is in [the comment above]({view.progress_url})."
    partial = "It may be incomplete, because the run was cut short." if view.outcome.partial else ""
    claim = ""
    if view.outcome.verdict is not None:
        claim = "All of this is the agent's own account: neither I nor a person has checked it."
    return " ".join(part for part in (link, partial, claim) if part)
