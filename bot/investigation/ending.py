"""The last steps: collect what the agent left, publish the patch, tell people."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from bot import render
from bot.errors import AgentError, PatchRefused
from bot.investigation.records import Gathered, Prepared, Published
from bot.models import JobState, Mode
from bot.publisher import earlier_pull
from bot.workspace.collect import collect as collect_artifacts

if TYPE_CHECKING:
    from bot.investigation.parts import Parts
    from bot.models import Collected, JobId, JobRequest, Outcome, Reservation

PATCH_REFUSED = "patch_refused"
ARTIFACTS_COLLECTED = "artifacts_collected"

_KEPT_CHARACTERS = 500_000
"""The longest text kept in the database; the whole lies in the state directory."""

_log = structlog.stdlib.get_logger(__name__)


def directory_of(parts: Parts, request: JobRequest) -> Path:
    """Return where this host keeps the artifacts of a run."""
    return parts.settings.state / "jobs" / request.job_id / f"run-{request.run}"


async def collect(
    parts: Parts, job_id: JobId, reservation: Reservation, prepared: Prepared, *, partial: bool
) -> Gathered:
    """Fetch the artifacts as data, and keep their texts for whichever process goes on."""
    request = (await parts.jobs.get(job_id)).request
    if prepared.paths is None or prepared.build is None:
        return Gathered()
    async with parts.provider.shell(reservation) as shell:
        collected = await collect_artifacts(
            shell,
            prepared.paths,
            prepared.build,
            run=request.run,
            agent=request.options.agent,
            into=directory_of(parts, request),
            limit=parts.settings.limits.artifact_bytes,
        )
    await _keep(parts, request, collected)
    _log.info(ARTIFACTS_COLLECTED, files=collected.files)
    return Gathered(collected=collected.model_copy(update={"partial": partial}))


async def _keep(parts: Parts, request: JobRequest, collected: Collected) -> None:
    texts = await asyncio.to_thread(_read_all, collected)
    for name, text in texts.items():
        await parts.documents.put(request.job_id, request.run, name, text)


def _read_all(collected: Collected) -> dict[str, str]:
    directory = Path(collected.directory)
    # As bytes: reading text would change the line ends of a patch.
    texts = {
        name: (directory / name).read_bytes().decode("utf-8", errors="replace")
        for name in collected.files
    }
    # Of a log the end tells most; of everything else the beginning does.
    return {
        name: text[-_KEPT_CHARACTERS:] if name == "log" else text[:_KEPT_CHARACTERS]
        for name, text in texts.items()
    }


async def publish(parts: Parts, job_id: JobId) -> Published:
    """Check the patch ourselves, and open the draft pull request or say why there is none."""
    job = await parts.jobs.enter(job_id, JobState.PUBLISHING)
    await parts.reporter.show(job_id)
    request = job.request
    if job.build is None:
        raise AgentError("nothing was prepared, so there is nothing to publish")
    if reason := _not_wanted(request):
        return Published(reason=reason)
    documents = await parts.documents.read_all(job_id, request.run)
    try:
        earlier = await earlier_pull(parts.runs, job)
        pull = await parts.publisher.publish(job, job.build, documents, earlier=earlier)
    except PatchRefused as error:
        _log.info(PATCH_REFUSED, reason=str(error))
        return Published(reason=render.problem(error, redactor=parts.redactor))
    await parts.jobs.set_pull(job_id, pull)
    return Published(pull=pull)


def _not_wanted(request: JobRequest) -> str:
    options = request.options
    if options.mode is not Mode.FIX:
        return f"The job ran with `--mode {options.mode}`."
    if not options.pr:
        return "The job ran with `--no-pr`."
    if not request.is_told:
        return f"The job was asked for in a terminal: `ptq pr {request.job_id}` opens it."
    return ""


async def settle(parts: Parts, job_id: JobId, ended: Outcome) -> None:
    """Write down how the job ends, before people are told."""
    await parts.jobs.set_outcome(job_id, ended.model_dump(mode="json"))


async def finish(parts: Parts, job_id: JobId, ended: Outcome) -> None:
    """End the job: its issue may have another one from now on."""
    await parts.jobs.finish(job_id, ended.state)
