"""How a job ends, from how far it came. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.errors import (
    AgentError,
    GitHubError,
    MachineError,
    MachineUnreachable,
    NoMachine,
    PtqError,
    Refusal,
    StepBroke,
    WorkspaceError,
)
from bot.models import AgentEnd, AgentVerdict, JobState, Outcome, Verdict

if TYPE_CHECKING:
    from bot.investigation.story import Story


def settle(story: Story) -> Outcome:
    """Return the outcome of a job that came this far."""
    verdict = _verdict(story)
    common = {
        "verdict": verdict.verdict if verdict else None,
        "summary": verdict.summary if verdict else "",
        "pull": story.published.pull,
        "no_pull_reason": story.published.reason,
    }
    if isinstance(story.error, Refusal):
        return Outcome(state=JobState.REFUSED, problem=str(story.error))
    if story.error is not None:
        return Outcome(state=JobState.FAILED, problem=_told(story.error), partial=True, **common)
    if story.followed is None or story.followed.cancelled_by is not None:
        return Outcome(state=JobState.CANCELLED, partial=True, **common)
    state, problem = _ENDS[story.followed.result.end]
    partial = state is not JobState.FINISHED
    if state is JobState.FINISHED and verdict is None and story.gathered is not None:
        collected = story.gathered.collected
        problem = collected.verdict_problem if collected else "nothing could be collected"
    return Outcome(state=state, problem=problem, partial=partial, **common)


def ended_well(story: Story) -> bool:
    """Whether the agent came to its own end."""
    followed = story.followed
    return (
        followed is not None
        and followed.cancelled_by is None
        and followed.result.end is AgentEnd.SUCCESS
    )


def why_not_published(story: Story) -> str:
    """Return why no pull request is tried, as a sentence of ours; empty when one is."""
    verdict = _verdict(story)
    if story.followed is None or story.followed.cancelled_by is not None:
        return "the job was cancelled."
    if story.followed.result.end is not AgentEnd.SUCCESS:
        return "the agent did not come to its own end."
    if verdict is None:
        return "the agent left no verdict."
    if verdict.verdict is not Verdict.FIXED:
        return "a pull request is opened for a fix only."
    return ""


def publishing_failed(error: PtqError) -> str:
    """Return why a tried pull request is not there."""
    match error:
        case GitHubError():
            return f"GitHub did not accept it: {error}"
        case _:
            return "ptq ran into an error of its own while publishing; the operator's log has it."


def _verdict(story: Story) -> AgentVerdict | None:
    if story.gathered is None or story.gathered.collected is None:
        return None
    return story.gathered.collected.agent_verdict


_ENDS: dict[AgentEnd, tuple[JobState, str]] = {
    AgentEnd.SUCCESS: (JobState.FINISHED, ""),
    AgentEnd.TIMED_OUT: (JobState.TIMED_OUT, "the time of the reservation was over."),
    AgentEnd.MAX_TURNS: (JobState.FAILED, "the agent used all its turns (`--max-turns`)."),
    AgentEnd.MAX_USD: (JobState.FAILED, "the agent spent all it may (`--max-usd`)."),
    AgentEnd.API_ERROR: (JobState.FAILED, "the model's API refused or failed."),
    AgentEnd.STOPPED: (JobState.FAILED, "the agent was stopped."),
    AgentEnd.CRASHED: (JobState.FAILED, "the agent ended without an answer."),
}


def _told(error: PtqError) -> str:
    """Return the sentence for people: what failed, not where in our code."""
    match error:
        case NoMachine() | WorkspaceError() | AgentError():
            return f"{error}"
        case MachineUnreachable():
            return "the machine could not be reached, or stopped answering."
        case MachineError():
            return f"something failed on the machine: {error}"
        case GitHubError():
            return f"GitHub did not do what was asked: {error}"
        case StepBroke():
            return "ptq ran into an error of its own; the operator's log has it."
        case _:
            return str(error)
