"""The handlers of the commands that ask for a job: checks, 👀, the job and its workflow at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from bot.durable import Queue
from bot.errors import GitHubRejected, Refusal
from bot.intake.options import job_options
from bot.models import JobRequest, new_job_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.agents.base import Agent
    from bot.commands import Investigate, OptionChanges, Rerun, Run
    from bot.configuration import InForce
    from bot.durable import Engine
    from bot.intake.asking import Asking
    from bot.intake.replies import Replies
    from bot.models import JobOptions
    from bot.reporter import Reporter
    from bot.settings import LimitSettings
    from bot.store import Job, Jobs, RepositoryJobs

OWED_COMMENT_REFUSED = "owed_comment_refused"

JOBS = Queue("jobs")
INVESTIGATE = "investigation"
"""The workflow's name, which its records keep."""

_log = structlog.stdlib.get_logger(__name__)


class InvestigateHandler:
    """Turns a command into a job, or into the next run of one."""

    def __init__(
        self,
        *,
        engine: Engine,
        jobs: Jobs,
        repository_jobs: RepositoryJobs,
        replies: Replies,
        reporter: Reporter,
        limits: LimitSettings,
        agents: Mapping[str, Agent],
    ) -> None:
        """Accept jobs within these limits, for these agents."""
        self._engine = engine
        self._jobs = jobs
        self._repository_jobs = repository_jobs
        self._replies = replies
        self._reporter = reporter
        self._limits = limits
        self._agents = agents

    async def investigate(self, asking: Asking, command: Investigate, in_force: InForce) -> str:
        """Accept the job, or the next run of the one that has ended; raise Refusal."""
        _require_issue(asking)
        last = await self._repository_jobs.newest_of_issue(asking.repository, asking.issue_number)
        return await self._accept(
            asking, command.changes, in_force, guidance=command.guidance, last=last
        )

    async def rerun(self, asking: Asking, command: Rerun, in_force: InForce) -> str:
        """Accept the next run of the thread's newest job; raise Refusal."""
        last = await self._repository_jobs.find(asking.repository, asking.issue_number)
        if last is None:
            raise Refusal("there is no job here to run again: `/ptq investigate` asks for one.")
        return await self._accept(
            asking, command.changes, in_force, guidance=command.guidance, last=last
        )

    async def run(self, asking: Asking, command: Run, in_force: InForce) -> str:
        """Accept a free task, which the issue's own job does not keep from running."""
        return await self._accept(
            asking, command.changes, in_force, guidance=command.guidance, task=command.task
        )

    async def _accept(
        self,
        asking: Asking,
        changes: OptionChanges,
        in_force: InForce,
        *,
        guidance: str,
        task: str = "",
        last: Job | None = None,
    ) -> str:
        options = self._options(changes, in_force, last)
        await self._replies.seen(asking)
        if last is not None and last.state.is_end:
            await self._make_up(last)
        accepted = await self._jobs.accept(
            JobRequest(
                job_id=new_job_id(
                    asking.repository,
                    None if task else asking.issue_number,
                    task=task,
                    asked_at=asking.asked_at,
                ),
                repository=asking.repository,
                installation_id=await self._replies.installation_id(asking),
                issue_number=asking.issue_number,
                requester=asking.person,
                command_comment_id=asking.comment_id,
                command_url=asking.comment_url,
                asked_at=asking.asked_at,
                options=options,
                task=task,
                guidance=guidance,
            ),
            delivery_id=asking.delivery_id,
            ordinal=asking.place,
            enqueue=lambda connection, request: self._engine.enqueuer(
                INVESTIGATE,
                queue=JOBS,
                workflow_id=workflow_of(request),
                argument=request.job_id,
            )(connection),
            again=None if last is None else last.id,
        )
        if accepted.job_id is None:
            return "known"
        if accepted.is_new:
            await self._replies.broken_configuration(asking, in_force, outcome="job")
            return "job"
        job = await self._jobs.get(accepted.job_id)
        return await self._replies.running_already(asking, job)

    async def _make_up(self, last: Job) -> None:
        """Tell what the last run owes: its row becomes that of the next one, and would forget."""
        try:
            await self._reporter.make_up(last)
        except GitHubRejected as error:
            _log.warning(OWED_COMMENT_REFUSED, job=last.id, reason=str(error))

    def _options(self, changes: OptionChanges, in_force: InForce, last: Job | None) -> JobOptions:
        """Return the options of the job; those of the last run hold where nothing else is said."""
        return job_options(
            changes,
            configuration=in_force.configuration,
            limits=self._limits,
            agents=self._agents,
            last=None if last is None else last.request.options,
        )


def workflow_of(request: JobRequest) -> str:
    """Return the id of the workflow that carries out a run of a job."""
    again = "" if request.run == 1 else f"/{request.run}"
    return f"job/{request.job_id}{again}"


def _require_issue(asking: Asking) -> None:
    if asking.is_pull_request:
        raise Refusal("this is a pull request, and ptq investigates issues.")
