"""A job is asked for in a terminal: the issue is frozen now, and the row is written with it."""

from __future__ import annotations

import getpass
import re
import uuid
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bot.cli import github_access
from bot.durable import Client
from bot.errors import CommandError, GitHubError, GitHubNotFound, InputError, Refusal
from bot.intake.investigate import INVESTIGATE, JOBS, workflow_of
from bot.investigation.admission import FROZEN_ISSUE
from bot.models import (
    DeliveryId,
    IssueSnapshot,
    JobId,
    JobOptions,
    JobRequest,
    Person,
    RepositoryName,
    new_job_id,
)

if TYPE_CHECKING:
    from bot.cli.opened import Opened
    from bot.settings import Settings

PYTORCH = RepositoryName(owner="pytorch", name="pytorch")
NOBODY = 0
"""The account's number of a person whom GitHub does not know here."""
_ISSUE = re.compile(
    r"(?:(?:https?://[^/\s]+/)?(?P<repository>[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+)(?:/issues/|\#))?"
    r"\#?(?P<number>[1-9][0-9]{0,17})/?"
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for: an issue, or a task, and how."""

    repository: RepositoryName
    issue_number: int | None
    task: str
    guidance: str
    options: JobOptions


@dataclass(frozen=True, slots=True)
class Asked:
    """The job; not a new one where the issue has an unfinished one."""

    job_id: JobId
    is_new: bool


def issue_of(
    settings: Settings, text: str | None, repository: str | None
) -> tuple[RepositoryName, int | None]:
    """Return the repository and the issue's number; raise InputError.

    An issue is a number, ``owner/name#number`` or its address. The repository is by default the
    first that the settings name, else pytorch/pytorch.
    """
    try:
        named = RepositoryName.parse(repository) if repository is not None else None
    except ValueError as error:
        raise InputError(f"--repo takes owner/name, not {repository!r}") from error
    served = (name for name in settings.github.repositories if "/" in name)
    usual = next((RepositoryName.parse(name) for name in served), PYTORCH)
    if text is None:
        return named or usual, None
    found = _ISSUE.fullmatch(text.strip())
    if found is None:
        raise InputError(f"--issue takes a number, owner/name#number or an address, not {text!r}")
    own = RepositoryName.parse(found["repository"]) if found["repository"] else None
    return own or named or usual, int(found["number"])


async def ask(opened: Opened, wanted: Wanted, *, again: JobId | None = None) -> Asked:
    """Make the job, or find the unfinished one of the issue; raise UserError.

    ``again`` is a job that has ended: then it is its next run.
    """
    settings, asked_at = opened.settings, datetime.now(UTC)
    text = await github_access.token(settings.github.api_url)
    person = Person(login=getpass.getuser(), id=NOBODY)
    issue: IssueSnapshot | None = None
    if wanted.issue_number is not None:
        async with github_access.github(settings.github, text) as github:
            repository = github.personal_repository(wanted.repository)
            try:
                issue = await repository.issue_snapshot(
                    wanted.issue_number,
                    frozen_at=asked_at,
                    command_comment_id=None,
                    asks_permissions=False,
                )
            except GitHubNotFound as error:
                raise CommandError(
                    f"{wanted.repository} has no issue #{wanted.issue_number} "
                    f"({github_access.unseen(text)})"
                ) from error
            if text:
                # A token of GitHub Actions is no person's.
                with suppress(GitHubError):
                    person = await github.person()
        if issue.is_pull_request:
            raise Refusal("this is a pull request, and ptq investigates issues")
    request = JobRequest(
        job_id=new_job_id(
            wanted.repository, wanted.issue_number, task=wanted.task, asked_at=asked_at
        ),
        repository=wanted.repository,
        installation_id=None,
        issue_number=wanted.issue_number,
        requester=person,
        asked_at=asked_at,
        options=wanted.options,
        task=wanted.task,
        guidance=wanted.guidance,
    )
    return await _accepted(opened, request, issue, again)


async def _accepted(
    opened: Opened, request: JobRequest, issue: IssueSnapshot | None, again: JobId | None
) -> Asked:
    client = Client(opened.database.url)
    try:
        accepted = await opened.jobs.accept(
            request,
            delivery_id=DeliveryId(f"terminal-{uuid.uuid4()}"),
            ordinal=0,
            enqueue=lambda connection, made: client.enqueuer(
                INVESTIGATE, queue=JOBS, workflow_id=workflow_of(made), argument=made.job_id
            )(connection),
            again=again,
            documents={} if issue is None else {FROZEN_ISSUE: issue.model_dump_json()},
        )
    finally:
        await client.close()
    return Asked(accepted.job_id or request.job_id, is_new=accepted.is_new)
