"""The exit statuses of every command, which scripts can use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.models import JobState, Mode, Outcome, Verdict

if TYPE_CHECKING:
    from bot.store import Job

WRONG = 1
"""It is written rightly and not to be had: a job that is not there, a limit, GitHub's refusal."""
WRONG_SETTINGS = 2
"""A setting, an option or what is read is missing or wrong."""
NOT_REACHED = 3
"""The job ended without what it was asked for."""
STILL_RUNNING = 4
"""The job has not ended."""

EPILOG = (
    "Exit statuses: 0 done; 1 what was asked for is wrong or not there; 2 a setting, an option or "
    "an input is wrong; 3 the job ended without what it was asked for; 4 the job has not ended."
)

_ANSWERS = {
    Mode.FIX: {Verdict.FIXED},
    Mode.DIAGNOSE: {Verdict.REPRODUCED, Verdict.FIXED},
    Mode.REPRODUCE: {Verdict.REPRODUCED, Verdict.NOT_REPRODUCED, Verdict.ALREADY_PASSING},
}


def of_job(job: Job) -> int:
    """Return 0 for a job that reached what it was asked for: in mode ``fix``, a fix."""
    if not job.state.is_end:
        return STILL_RUNNING
    outcome = Outcome.model_validate(job.outcome) if job.outcome else None
    if job.state is not JobState.FINISHED or outcome is None:
        return NOT_REACHED
    return 0 if outcome.verdict in _ANSWERS[job.request.options.mode] else NOT_REACHED
