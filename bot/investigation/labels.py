"""The label that tells how a job ended: one of those that the repository's configuration names."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from bot.models import JobState, Outcome, Verdict

if TYPE_CHECKING:
    from bot.configuration import Outcomes
    from bot.github import Repository
    from bot.investigation.parts import Parts
    from bot.models import JobId

_NOBODYS_WISH = (JobState.CANCELLED, JobState.REFUSED)
"""Ends that say nothing about the bug, whatever the agent had written by then."""


async def label(parts: Parts, job_id: JobId) -> None:
    """Put the label of the job's outcome on its issue; raise GitHubError.

    Before the job is finished: the next one of the issue replaces the label, and must come later.
    """
    job = await parts.jobs.get(job_id)
    thread = job.request.thread
    if job.outcome is None or thread is None:
        return
    outcome = Outcome.model_validate(job.outcome)
    if outcome.state in _NOBODYS_WISH:
        return
    repository = parts.repository(thread)
    outcomes = (await parts.configurations.of(repository)).configuration.outcomes
    await apply_outcome(
        repository,
        thread.number,
        outcomes,
        outcome.verdict,
        is_lacking=bool(outcome.missing.strip()),
    )


async def apply_outcome(
    repository: Repository,
    number: int,
    outcomes: Outcomes,
    verdict: Verdict | None,
    *,
    is_lacking: bool = False,
) -> None:
    """Put the verdict's label on an issue, and take off those of earlier runs.

    ``is_lacking`` says that the issue lacks something that the repro would need. A verdict that
    tells nothing about the bug leaves the labels as they are. Doing it again changes nothing; raise
    GitHubError.
    """
    if not outcomes.names or not _tells(verdict):
        return
    wanted = _label(outcomes, verdict, is_lacking=is_lacking)
    there = {name.casefold(): name for name in (await repository.issue(number)).labels}
    if wanted is not None and wanted.casefold() not in there:
        await repository.add_labels(number, [wanted])
    kept = None if wanted is None else wanted.casefold()
    for name in outcomes.names:
        if name.casefold() != kept and name.casefold() in there:
            await repository.remove_label(number, there[name.casefold()])


def _tells(verdict: Verdict | None) -> bool:
    return verdict not in {None, Verdict.ENVIRONMENT, Verdict.ERROR}


def _label(outcomes: Outcomes, verdict: Verdict | None, *, is_lacking: bool) -> str | None:
    match verdict:
        case Verdict.FIXED:
            return outcomes.fixed or outcomes.reproduced
        case Verdict.REPRODUCED | Verdict.NOT_FIXED | Verdict.BROKE_OTHERS:
            return outcomes.reproduced
        case Verdict.NOT_REPRODUCED | Verdict.ALREADY_PASSING:
            lacking = outcomes.needs_information if is_lacking else None
            return lacking or outcomes.not_reproduced
        case Verdict.ENVIRONMENT | Verdict.ERROR | None:
            return None
        case _:
            assert_never(verdict)
