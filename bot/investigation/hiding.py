"""The reports of a job's earlier runs: hidden as outdated once there is a newer one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from bot.errors import GitHubError

if TYPE_CHECKING:
    from bot.investigation.parts import Parts
    from bot.models import JobId

REPORT_NOT_HIDDEN = "report_not_hidden"

_log = structlog.stdlib.get_logger(__name__)


async def hide_earlier_reports(parts: Parts, job_id: JobId) -> None:
    """Hide them where the job is told of; a failure is logged and no more.

    Their closing comments stay: they say who was answered what, and when.
    """
    job = await parts.jobs.get(job_id)
    thread = job.request.thread
    if thread is None:
        return
    repository = parts.github.repository(thread.repository, thread.installation_id)
    for run in await parts.runs.earlier(job_id, job.request.run):
        if run.progress_comment_id is None or run.request.thread != thread:
            continue
        try:
            await repository.minimize(await repository.get_comment(run.progress_comment_id))
        except GitHubError as error:
            _log.warning(REPORT_NOT_HIDDEN, run=run.request.run, reason=str(error))
