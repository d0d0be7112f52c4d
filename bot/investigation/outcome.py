"""How a job ends, from how far it came. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot import render
from bot.errors import Refusal
from bot.models import AgentEnd, AgentVerdict, JobState, Outcome, Verdict

if TYPE_CHECKING:
    from bot.investigation.story import Story
    from bot.redaction import Redactor


def settle(story: Story, *, redactor: Redactor) -> Outcome:
    """Return the outcome of a job that came this far."""
    verdict = _verdict(story)
    followed = story.followed
    outcome = Outcome(
        state=_state(story),
        verdict=verdict.verdict if verdict else None,
        summary=verdict.summary if verdict else "",
        missing=verdict.missing if verdict else "",
        pull=story.published.pull,
        no_pull_reason=story.published.reason,
        problem=render.problem(story.error, redactor=redactor) if story.error else "",
        agent_end=followed.result.end if followed else None,
        partial=story.launched is not None and not ended_well(story),
    )
    if outcome.state is JobState.FINISHED and verdict is None:
        return outcome.model_copy(update={"problem": _no_verdict(story)})
    return outcome


def _state(story: Story) -> JobState:
    match story.error:
        case None:
            pass
        case Refusal():
            return JobState.REFUSED
        case _:
            return JobState.FAILED
    if story.followed is None or story.followed.cancelled_by is not None:
        return JobState.CANCELLED
    match story.followed.result.end:
        case AgentEnd.SUCCESS:
            return JobState.FINISHED
        case AgentEnd.TIMED_OUT:
            return JobState.TIMED_OUT
        case _:
            return JobState.FAILED


def _no_verdict(story: Story) -> str:
    collected = story.gathered.collected if story.gathered else None
    return collected.verdict_problem if collected else "Nothing could be collected."


def ended_well(story: Story) -> bool:
    """Whether the agent came to its own end."""
    followed = story.followed
    return (
        followed is not None
        and followed.cancelled_by is None
        and followed.result.end is AgentEnd.SUCCESS
    )


def is_published(story: Story) -> bool:
    """Whether a pull request is tried: for a fix, of an agent that came to its own end."""
    verdict = _verdict(story)
    return ended_well(story) and verdict is not None and verdict.verdict is Verdict.FIXED


def _verdict(story: Story) -> AgentVerdict | None:
    if story.gathered is None or story.gathered.collected is None:
        return None
    return story.gathered.collected.agent_verdict
