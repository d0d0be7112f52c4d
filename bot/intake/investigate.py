"""The handler of `/ptq investigate`: checks, 👀, the job and its workflow in one transaction."""

from __future__ import annotations

import re
from datetime import UTC
from typing import TYPE_CHECKING

from bot.durable import Queue
from bot.errors import Refusal
from bot.models import JobId, JobOptions, JobRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.agents.base import Agent
    from bot.commands import Investigate
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

    async def handle(self, asking: Asking, command: Investigate) -> str:
        """Accept the job, or point to the one that the issue has; raise Refusal."""
        options = command.changes.apply(JobOptions())
        self._check(asking, options)
        repository = await self._replies.repository(asking)
        await repository.react(asking.comment_id, "eyes")
        accepted = await self._jobs.accept(
            JobRequest(
                job_id=job_id_of(asking),
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
                INVESTIGATE, queue=JOBS, workflow_id=f"job/{job_id}", argument=job_id
            )(connection),
        )
        if accepted.is_new:
            return "job"
        job = await self._jobs.get(accepted.job_id)
        return await self._replies.running_already(asking, job)

    def _check(self, asking: Asking, options: JobOptions) -> None:
        if asking.is_pull_request:
            raise Refusal("this is a pull request, and ptq investigates issues.")
        limits = self._limits
        if options.hours > limits.hours:
            raise Refusal(
                f"`--hours {options.hours:g}` is more than the {limits.hours:g} allowed here."
            )
        if options.gpus > limits.gpus:
            raise Refusal(f"`--gpus {options.gpus}` is more than the {limits.gpus} allowed here.")
        if options.max_usd is not None and options.max_usd > limits.usd:
            raise Refusal(
                f"`--max-usd {options.max_usd:g}` is more than the {limits.usd:g} allowed here."
            )
        if options.agent not in self._agents:
            known = ", ".join(f"`{name}`" for name in sorted(self._agents))
            raise Refusal(f"there is no agent of that name here; there is {known}.")
        if options.dockerfile is not None:
            raise Refusal(
                "the machines here are prepared without an image: leave `--dockerfile` out."
            )


def job_id_of(asking: Asking) -> JobId:
    """Return ``YYYYMMDD-<repo>-<issue>`` in UTC; the store makes it unique."""
    day = asking.asked_at.astimezone(UTC).strftime("%Y%m%d")
    repository = re.sub(r"[^A-Za-z0-9._-]", "-", asking.repository.name)[:64]
    return JobId(f"{day}-{repository}-{asking.issue_number}")
