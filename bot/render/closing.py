"""The one closing comment: short, and the only one that notifies the person who asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.models import AgentEnd, JobState, Verdict
from bot.render.endings import agent_ended
from bot.render.markers import closing_marker, marked
from bot.render.not_shown import not_shown
from bot.render.phrases import hours, mention, name
from bot.render.proof_words import by_agent, disagrees, verdict_by_proof
from bot.render.sanitise import inline
from bot.render.verdicts import verdict_sentence

if TYPE_CHECKING:
    from bot.redaction import Redactor
    from bot.render.views import ClosingView

_LONGEST = 700
"""Characters of the agent's summary."""

_UNPROVED = "All of this is the agent's own account: neither I nor a person has checked it."
_BESIDE_A_PROOF = "No person has checked what the agent says there."


def closing(view: ClosingView, *, redactor: Redactor) -> str:
    """Return the closing comment, with its marker: how it ended, what was seen, where it is.

    With a proof the bot tells what it saw and the agent's account comes second; without one all
    of it is the agent's.
    """
    first = [_ending(view), *_verdict(view, redactor), _pull(view)]
    parts = [
        f"{mention(view.job.requester)} {' '.join(part for part in first if part)}",
        *_without_a_bug(view, redactor),
        *_account(view, redactor),
        *_missing(view, redactor),
        _ground(view),
    ]
    return marked(
        closing_marker(view.job.id, run=view.job.run), "\n\n".join(part for part in parts if part)
    )


def _verdict(view: ClosingView, redactor: Redactor) -> list[str]:
    outcome, options = view.outcome, view.job.options
    if view.proof is not None:
        return [
            verdict_by_proof(view.proof, redactor=redactor),
            by_agent(view.proof, outcome.claim, options),
        ]
    return [] if outcome.verdict is None else [verdict_sentence(outcome.verdict, options)]


def _account(view: ClosingView, redactor: Redactor) -> list[str]:
    """Quote the agent's own sentences, and say when they do not agree with what was seen."""
    label = "In its words"
    if view.proof is not None:
        label = "In the agent's words"
        if disagrees(view.proof, view.outcome.claim):
            label = "The agent's own account, which is not what I saw"
            if view.proof.verdict in {Verdict.ENVIRONMENT, Verdict.ERROR}:
                label = "The agent's own account, which I could not confirm"
    return _quoted(label, view.outcome.summary, redactor)


def _without_a_bug(view: ClosingView, redactor: Redactor) -> list[str]:
    """Say what was tried where the bug did not show, and what the issue lacks."""
    return [] if view.proof is None else not_shown(view.proof, view.missing, redactor=redactor)


def _missing(view: ClosingView, redactor: Redactor) -> list[str]:
    if view.proof is not None or view.outcome.verdict is not Verdict.NOT_REPRODUCED:
        return []
    return _quoted("What it found missing in the issue", view.missing, redactor)


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
                silent = _claim(view) is None
                return "The agent ended without a verdict." if silent else ""
            return agent_ended(view.agent_end, view.job.options)


def _claim(view: ClosingView) -> Verdict | None:
    return view.outcome.verdict if view.proof is None else view.outcome.claim


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
        if outcome.pull.updated:
            return f"I brought [{kind} #{outcome.pull.number}]({outcome.pull.url}) to this change."
        whose = "Its" if view.proof is None else "The"
        where = f"{whose} change is in [{kind} #{outcome.pull.number}]({outcome.pull.url})."
        if outcome.pull.instead_of is None:
            return where
        return (
            f"{where} I left #{outcome.pull.instead_of} as it is: it is no open draft any more, or "
            "somebody else pushed to it."
        )
    if outcome.no_pull_reason:
        return f"I opened no pull request. {outcome.no_pull_reason}"
    return ""


def _quoted(label: str, text: str, redactor: Redactor) -> list[str]:
    line = inline(text, redactor=redactor, limit=_LONGEST)
    return [f"{label}:\n> {line}"] if line else []


def _ground(view: ClosingView) -> str:
    """Say where the whole is, and what of it is a claim."""
    link = ""
    if view.progress_url is not None:
        what = "The report" if view.has_report else "What is known"
        if view.proof is not None:
            what = f"{what}, with all that I ran," if view.proof.is_proved else what
        link = f"{what} is in [the comment above]({view.progress_url})."
    partial = "It may be incomplete, because the run was cut short." if view.outcome.partial else ""
    return " ".join(part for part in (link, partial, _whose(view)) if part)


def _whose(view: ClosingView) -> str:
    if _claim(view) is None:
        return ""
    return _BESIDE_A_PROOF if view.proof is not None and view.proof.is_proved else _UNPROVED
