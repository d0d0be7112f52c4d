"""The pull request that an earlier run of a job opened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot import told

if TYPE_CHECKING:
    from bot.models import PullRequest
    from bot.store import Job, Runs


@dataclass(frozen=True, slots=True)
class EarlierPull:
    """A pull request, and the commit that its change was made on."""

    pull: PullRequest
    base: str


async def earlier_pull(runs: Runs, job: Job) -> EarlierPull | None:
    """Return the newest one of the runs before this one; None where none opened any."""
    for run in reversed(await runs.earlier(job.id, job.request.run)):
        pull = told.outcome_of(run).pull
        if pull is not None and pull.commit and run.build is not None:
            return EarlierPull(pull, run.build.base_commit)
    return None
