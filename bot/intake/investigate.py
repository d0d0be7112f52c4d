"""The handler of `/ptq investigate`: checks, 👀, the job and its workflow in one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.durable import Queue
from bot.errors import Refusal
from bot.intake.options import job_options
from bot.models import JobId, JobRequest, new_job_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.agents.base import Agent
    from bot.commands import Investigate
    from bot.configuration import InForce
    from bot.durable import Engine
    from bot.intake.asking import Asking
    from bot.intake.replies import Replies
    from bot.settings import LimitSettings
    from bot.store import Jobs

JOBS = Queue("jobs")
INVESTIGATE = "investigation"
"""The workflow's name, which its records keep."""


class InvestigateHandler:
    """Turns a command into a job."""

    def __init__(
        self,
        *,
        engine: Engine,
        jobs: Jobs,
        replies: Replies,
        limits: LimitSettings,
        agents: Mapping[str, Agent],
    ) -> None:
        """Accept jobs within these limits, for these agents."""
        self._engine = engine
        self._jobs = jobs
        self._replies = replies
        self._limits = limits
        self._agents = agents

    async def handle(self, asking: Asking, command: Investigate, in_force: InForce) -> str:
        """Accept the job, or point to the one that the issue has; raise Refusal."""
        if asking.is_pull_request:
            raise Refusal("this is a pull request, and ptq investigates issues.")
        options = job_options(
            command.changes,
            configuration=in_force.configuration,
            limits=self._limits,
            agents=self._agents,
        )
        await self._replies.seen(asking)
        accepted = await self._jobs.accept(
            JobRequest(
                job_id=new_job_id(
                    asking.repository, asking.issue_number, task="", asked_at=asking.asked_at
                ),
                repository=asking.repository,
                installation_id=await self._replies.installation_id(asking),
                issue_number=asking.issue_number,
                requester=asking.person,
                command_comment_id=asking.comment_id,
                command_url=asking.comment_url,
                asked_at=asking.asked_at,
                options=options,
                guidance=command.guidance,
            ),
            delivery_id=asking.delivery_id,
            ordinal=asking.place,
            enqueue=lambda connection, job_id: self._engine.enqueuer(
                INVESTIGATE, queue=JOBS, workflow_id=workflow_of(job_id), argument=job_id
            )(connection),
        )
        if accepted.job_id is None:
            return "known"
        if accepted.is_new:
            await self._replies.broken_configuration(asking, in_force, outcome="job")
            return "job"
        job = await self._jobs.get(accepted.job_id)
        return await self._replies.running_already(asking, job)


def workflow_of(job_id: JobId) -> str:
    """Return the id of the workflow that carries out a job."""
    return f"job/{job_id}"
