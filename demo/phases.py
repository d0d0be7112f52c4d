"""The phases of a job as lines of a checklist."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from bot.models import JobState
from bot.render.views import PHASES

if TYPE_CHECKING:
    from datetime import datetime

    from bot.store import Job

_DOING = {
    JobState.RESERVING: "Reserve a machine",
    JobState.PREPARING: "Prepare the workspace on it, over SSH",
    JobState.INVESTIGATING: "Let the agent investigate",
    JobState.PROVING: "Prove the fix",
    JobState.RELEASING: "Give the machine back",
    JobState.PUBLISHING: "Check the patch, open the pull request, report",
}
_WAITING = {JobState.RECEIVED, JobState.QUEUED}


class Mark(StrEnum):
    """How a phase stands."""

    AHEAD = " "
    NOW = "▶"
    DONE = "✓"
    FAILED = "✗"


@dataclass(frozen=True, slots=True)
class Line:
    """One phase."""

    phase: JobState
    mark: Mark
    text: str
    """What is done, what came of it, and how long it took."""


def lines(job: Job | None, *, now: datetime) -> list[Line]:
    """Return every phase in its order; there need be no job yet."""
    return [_line(job, phase, now) for phase in PHASES]


def _line(job: Job | None, phase: JobState, now: datetime) -> Line:
    what = _DOING.get(phase, phase.value.capitalize())
    begun = None if job is None else _begun(job, phase)
    if job is None or begun is None:
        return Line(phase, Mark.AHEAD, what)
    ended = _ended(job, phase)
    mark = Mark.NOW if ended is None else Mark.FAILED if _failed(job, phase) else Mark.DONE
    facts = _facts(job, phase)
    seconds = max(((ended or now) - begun).total_seconds(), 0)
    return Line(phase, mark, f"{what}{facts and ': '}{facts} ({seconds:.1f} s)")


def _begun(job: Job, phase: JobState) -> datetime | None:
    if phase is JobState.RESERVING:
        return job.states.get(JobState.QUEUED, job.states.get(phase))
    return job.states.get(phase)


def _ended(job: Job, phase: JobState) -> datetime | None:
    begun = job.states.get(phase) or _begun(job, phase)
    own = {phase, *_WAITING} if phase is JobState.RESERVING else {phase}
    later = [at for state, at in job.states.items() if state not in own and begun and at >= begun]
    return min(later, default=None)


def _failed(job: Job, phase: JobState) -> bool:
    """Whether it was the last phase that was begun before the job failed.

    The machine is given back in any case.
    """
    tried = [each for each in PHASES if each in job.states and each is not JobState.RELEASING]
    return job.state is JobState.FAILED and tried[-1:] == [phase]


def _facts(job: Job, phase: JobState) -> str:
    match phase:
        case JobState.RESERVING:
            return job.machine or ""
        case JobState.PREPARING if job.build:
            return f"version {job.build.version} at commit {job.build.base_commit[:12]}"
        case JobState.INVESTIGATING if job.progress and job.progress.turns:
            return f"{job.progress.turns} turns, ${job.progress.usd:.2f}"
        case _:
            return ""
