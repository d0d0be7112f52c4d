"""How a job ends, from how far it came. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot import render
from bot.errors import LeaseLost, MachineUnreachable, Refusal
from bot.models import AgentEnd, AgentVerdict, JobState, Outcome, Verdict

if TYPE_CHECKING:
    from bot.errors import PtqError
    from bot.investigation.story import Story
    from bot.redaction import Redactor


def settle(story: Story, *, redactor: Redactor) -> Outcome:
    """Return the outcome of a job that came this far."""
    claim, proven = _claim(story), story.proven
    followed = story.followed
    shown = proven.verdict if proven is not None else None
    outcome = Outcome(
        state=_state(story),
        verdict=shown or (claim.verdict if claim else None),
        claim=claim.verdict if claim else None,
        summary=claim.summary if claim else "",
        missing=claim.missing if claim else "",
        pull=story.published.pull,
        no_pull_reason=story.published.reason,
        problem=_problem(story, redactor),
        agent_end=followed.result.end if followed else None,
        partial=story.launched is not None and not ended_well(story),
        more_hours=followed.more_hours if followed else 0.0,
    )
    if outcome.state is JobState.FINISHED and claim is None:
        return outcome.model_copy(update={"problem": _no_verdict(story)})
    return outcome


def _state(story: Story) -> JobState:
    if story.error is not None and story.killed_by is None:
        return JobState.REFUSED if isinstance(story.error, Refusal) else JobState.FAILED
    if story.followed is None or was_cancelled(story):
        return JobState.CANCELLED
    match story.followed.result.end:
        case AgentEnd.SUCCESS:
            return JobState.FINISHED
        case AgentEnd.TIMED_OUT:
            return JobState.TIMED_OUT
        case _:
            return JobState.FAILED


def _problem(story: Story, redactor: Redactor) -> str:
    if story.error is None:
        return ""
    if story.place > 1 and has_died(story.error):
        return render.died_twice()
    return render.problem(story.error, redactor=redactor)


def deserves_another_machine(story: Story) -> bool:
    """Whether the work begins again on another machine: the first one died under it."""
    return story.place == 1 and has_died(story.error)


def leaves_an_agent(story: Story) -> bool:
    """Whether an agent may still run on the machine, which did not answer any more."""
    return not story.is_stopped or has_died(story.error)


def has_died(error: PtqError | None) -> bool:
    """Whether this is what becomes of a job whose machine dies."""
    return isinstance(error, (MachineUnreachable, LeaseLost))


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


def was_cancelled(story: Story) -> bool:
    """Whether somebody stopped the job."""
    if story.killed_by is not None:
        return True
    if story.proven is not None and story.proven.cancelled_by is not None:
        return True
    return story.followed is None or story.followed.cancelled_by is not None


def is_worth_proving(story: Story) -> bool:
    """Whether the bot looks for itself: nobody cancelled, and there is a machine to look on."""
    return (
        story.error is None
        and story.followed is not None
        and story.followed.cancelled_by is None
        and story.gathered is not None
    )


def deserves_another_try(story: Story, *, retries: int) -> bool:
    """Whether the agent gets what the bot saw: it claims a fix that the bot refuted."""
    claim, proven = _claim(story), story.proven
    return (
        ended_well(story)
        and story.error is None
        and claim is not None
        and claim.verdict is Verdict.FIXED
        and proven is not None
        and proven.is_proved
        and proven.verdict in {Verdict.NOT_FIXED, Verdict.BROKE_OTHERS}
        and story.attempts <= retries
    )


def is_published(story: Story) -> bool:
    """Whether a pull request is tried: for a fix that the bot itself has shown."""
    proven = story.proven
    return (
        story.error is None
        and proven is not None
        and proven.is_proved
        and proven.verdict is Verdict.FIXED
    )


def _claim(story: Story) -> AgentVerdict | None:
    if story.gathered is None or story.gathered.collected is None:
        return None
    return story.gathered.collected.agent_verdict
