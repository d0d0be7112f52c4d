"""Jobs that nobody carries out any more: their workflow has ended, or is gone, and they have not.

It takes a bug of ours, a record that was deleted, or a job that was taken up too often. Each is
ended as its workflow would have: its machine is given back, people are told, the issue is free.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from bot.errors import GitHubError
from bot.intake.investigate import workflow_of
from bot.models import JobState, Outcome
from bot.sweeper.apart import apart

if TYPE_CHECKING:
    from bot.durable import Engine
    from bot.investigation import Parts, Steps
    from bot.models import JobId
    from bot.sweeper.left_leases import LeftLeases

JOB_LOST = "job_lost"
NOT_TOLD = "not_told"

LOST = Outcome(
    state=JobState.FAILED,
    problem="I lost track of this job before it ended, by a mistake of mine. Please ask again.",
)

_log = structlog.stdlib.get_logger(__name__)


class LostJobs:
    """The pass over the jobs that have not ended."""

    def __init__(self, engine: Engine, parts: Parts, steps: Steps, leases: LeftLeases) -> None:
        """Ask this engine who is alive, and end the others by these steps."""
        self._engine = engine
        self._parts = parts
        self._steps = steps
        self._leases = leases

    async def run(self) -> dict[str, int]:
        """End what is lost; return how many there were."""
        jobs = {workflow_of(job.request): job.id for job in await self._parts.jobs.unfinished()}
        living = await self._engine.unended(list(jobs))
        lost = [job_id for workflow, job_id in jobs.items() if workflow not in living]
        return {"lost": await apart({job_id: self._end(job_id) for job_id in lost})}

    async def _end(self, job_id: JobId) -> bool:
        # Asked again: its workflow may have ended it after the first question.
        if not await self._parts.jobs.is_unfinished(job_id):
            return False
        _log.error(JOB_LOST, job=job_id)
        job = await self._parts.jobs.get(job_id)
        ended = LOST if job.outcome is None else Outcome.model_validate(job.outcome)
        await self._leases.give_back(job_id)
        await self._steps.settle(job_id, ended)
        try:
            await self._steps.report(job_id)
            await self._steps.close(job_id)
            await self._steps.label(job_id)
        except GitHubError as error:
            # What is owed to people is made up for by the pass over that.
            _log.warning(NOT_TOLD, job=job_id, reason=str(error))
        await self._steps.finish(job_id, ended)
        return True
