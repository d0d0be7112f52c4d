"""The first steps: freeze the issue, ask again who asks, and say that the work has begun."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.configuration import PATH
from bot.investigation.records import Admitted
from bot.models import IssueSnapshot
from bot.workspace.free_task import of_task

if TYPE_CHECKING:
    from bot.investigation.parts import Parts
    from bot.models import JobId, JobRequest

FROZEN_ISSUE = "issue.json"


async def admit(parts: Parts, job_id: JobId) -> Admitted:
    """Freeze the issue as a document; say why the job is refused, if it is.

    The permission was asked for at the event. It is asked for again: a job may have waited long.
    """
    request = (await parts.jobs.get(job_id)).request
    thread = request.thread
    if thread is None:
        # Who asks in a terminal runs ptq; the issue was frozen with the command.
        await frozen_issue(parts, request)
        return Admitted()
    repository = parts.repository(thread)
    configuration = (await parts.configurations.of(repository)).configuration
    if not configuration.enabled:
        return Admitted(refusal=f"`{PATH}` switches me off in this repository.")
    person, permission = await repository.permission(request.requester.login)
    if person.id != request.requester.id or not permission.covers(configuration.permission):
        return Admitted(
            refusal=f"It takes {configuration.permission} permission on this repository."
        )
    snapshot = await repository.issue_snapshot(
        thread.number,
        frozen_at=request.asked_at,
        command_comment_id=request.command_comment_id,
    )
    if refusal := _unsuitable(snapshot):
        return Admitted(refusal=refusal)
    await parts.documents.keep(job_id, request.run, FROZEN_ISSUE, snapshot.model_dump_json())
    return Admitted()


async def frozen_issue(parts: Parts, request: JobRequest) -> IssueSnapshot:
    """Return the issue as it was frozen, or the task where there is none.

    Raise LookupError before it was frozen.
    """
    if request.issue_number is None:
        return of_task(request)
    text = await parts.documents.read(request.job_id, request.run, FROZEN_ISSUE)
    if text is None:
        message = f"the issue of {request.job_id} is not frozen"
        raise LookupError(message)
    return IssueSnapshot.model_validate_json(text)


def _unsuitable(snapshot: IssueSnapshot) -> str:
    if snapshot.is_pull_request:
        return "This is a pull request, and I investigate issues."
    if snapshot.state != "open":
        return "This issue is closed: reopen it, and ask again."
    return ""
