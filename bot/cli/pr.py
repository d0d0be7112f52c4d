"""``ptq pr``: open the draft pull request of a job that kept its results to itself."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import TYPE_CHECKING

import typer

from bot.cli import github_access
from bot.cli.opened import opened
from bot.cli.words import AsJson, JobName
from bot.configuration import Configurations
from bot.errors import CommandError
from bot.models import Proof, Verdict
from bot.publisher import Publisher, Writer, earlier_pull
from bot.redaction import Redactor
from bot.settings import Settings
from bot.store import RightConfigurations, Runs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.github import GitHub
    from bot.models import TorchBuild
    from bot.store import Job


def pr(job: JobName, *, as_json: AsJson = False) -> None:
    """Open the draft pull request of a job whose fix was proved.

    It is opened with your token (GITHUB_TOKEN, or that of GitHub's CLI), which must have the right
    to push to the repository, and names you as responsible for it; for a job that was asked for
    under an issue, with the App where that is set up here.
    """
    found, url = asyncio.run(_open(Settings.load(), job))
    typer.echo(json.dumps({"job": found.id, "pull_request": url}) if as_json else url)


async def _open(settings: Settings, name: str) -> tuple[Job, str]:
    async with opened(settings) as here:
        job = await here.job(name)
        if job.pull_url:
            return job, job.pull_url
        if not job.state.is_end:
            raise CommandError(f"{job.id} has not ended: it is {job.state.value}")
        documents = await here.documents.read_all(job.id, job.request.run)
        build = _proved(job, documents)
        text = await github_access.token(settings.github.api_url)
        async with github_access.github(settings.github, text) as github:
            job, writer = await _writer(settings, github, job, text)
            key = settings.github.key if settings.github.has_app else ""
            publisher = Publisher(
                github,
                settings.patch,
                configurations=Configurations(RightConfigurations(here.database)),
                redactor=Redactor((*settings.secrets, key, text)),
            )
            earlier = await earlier_pull(Runs(here.database), job)
            pull = await publisher.publish(job, build, documents, writer=writer, earlier=earlier)
        await here.jobs.set_pull(job.id, pull)
        return job, pull.url


def _proved(job: Job, documents: Mapping[str, str]) -> TorchBuild:
    """Raise CommandError unless the bot itself has shown that the patch is a fix."""
    proof = documents.get("proof.json")
    found = None if proof is None else Proof.model_validate_json(proof)
    if found is None or job.build is None or not found.is_proved:
        raise CommandError(f"{job.id} proved nothing: a pull request is opened for a fix only")
    if found.verdict is not Verdict.FIXED:
        raise CommandError(
            f"{job.id} ended with {found.verdict.value}: a pull request is opened for a fix only"
        )
    return job.build


async def _writer(
    settings: Settings, github: GitHub, job: Job, text: str
) -> tuple[Job, Writer | None]:
    """Return who writes, and the job in the name of that person; None is the App."""
    if job.request.is_told and settings.github.has_app:
        return job, None
    if not text:
        raise CommandError(
            "nobody here may write on GitHub: set GITHUB_TOKEN to a token of yours that may push "
            f"to {job.request.repository}, or log in with `gh auth login`"
        )
    person = await github.person()
    repository = github.personal_repository(job.request.repository)
    request = job.request.model_copy(update={"requester": person})
    writer = Writer(reading=repository, writing=repository, login=person.login, id=person.id)
    return replace(job, request=request), writer
