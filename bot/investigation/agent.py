"""The steps about the agent: start it, and stop it; ``following`` is between."""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from bot.agents import runs
from bot.agents.base import Launch
from bot.errors import AgentError, RemoteFileMissing
from bot.investigation.extending import begun_anew
from bot.investigation.lease_ids import place_of, run_of_lease
from bot.investigation.records import Launched, Prepared
from bot.models import JobState, Proof
from bot.workspace.retry import retry_prompt

if TYPE_CHECKING:
    from bot.investigation.parts import Parts, Visitor
    from bot.machines.base import Shell
    from bot.models import JobId, JobOptions, JobPaths, JobRequest, LeaseId, Reservation

AGENT_STARTED = "agent_started"

PROOF = "proof.json"
"""The document that holds what the bot itself saw."""

WRAP_UP = timedelta(minutes=20)
"""Kept of a reservation for collecting and proving after the agent."""
_SHARE = 8
"""A short reservation keeps one part in this many instead."""

_PLAN_BYTES = 4096
_SESSIONS = uuid.UUID("6f0d3a52-6a0b-4a5e-9c3e-0f5f0f1f8e55")
_log = structlog.stdlib.get_logger(__name__)


async def launch(
    parts: Parts, job_id: JobId, reservation: Reservation, prepared: Prepared, *, attempt: int
) -> Launched:
    """Start the agent detached, once: it outlives this process and its connections.

    A later ``attempt`` takes up the same session, with what the bot itself saw.
    """
    request = (await parts.jobs.get(job_id)).request
    await parts.jobs.enter(job_id, JobState.INVESTIGATING)
    await parts.reporter.show(job_id)
    paths = paths_of(prepared)
    agent = parts.agent(request.options.agent)
    async with parts.provider.shell(reservation) as shell:
        launched = await _plan(parts, request, paths, reservation, shell, attempt=attempt)
        run = run_of(parts, request, paths, launched)
        launching = Launch(
            options=_options(request, launched),
            session_id=launched.session_id,
            resume=attempt > 1,
            prompt=(
                prepared.prompt
                if attempt == 1
                else await _findings(parts, request, attempt=attempt)
            ),
            directory=paths.directory,
            worktree=paths.worktree,
            home=f"{paths.directory}/home",
            path=await _path(shell, paths),
            model_url=f"http://127.0.0.1:{launched.model_port}",
            model_token=parts.gateway.token(job_id, until=_latest_end(parts, request, launched)),
            environment=_environment(paths, reservation, run_directory=run.directory),
        )
        await runs.start(shell, run, agent.invocation(launching))
    _log.info(AGENT_STARTED, agent=agent.name, session=launched.session_id)
    return launched


async def _plan(
    parts: Parts,
    request: JobRequest,
    paths: JobPaths,
    reservation: Reservation,
    shell: Shell,
    *,
    attempt: int,
) -> Launched:
    """Write down how the agent will be started, or find what an interrupted try wrote."""
    lease_id = reservation.lease_id
    plan = f"{run_directory(request, paths, lease_id=lease_id, attempt=attempt)}/plan.json"
    end = await end_of(parts, reservation)
    try:
        launched = Launched.model_validate_json(await shell.read(plan, limit=_PLAN_BYTES))
    except RemoteFileMissing:
        pass
    else:
        # Whoever follows the run leads its port to the model.
        # The file lies on the machine: it may shorten the time, and never lengthen it.
        hard = min(launched.hard_deadline, end)
        return launched.model_copy(
            update={"hard_deadline": hard, "lease_end": end, "lease_id": lease_id}
        )
    if attempt == 1:
        whole = await begun_anew(parts, request, reservation, at_least=timedelta(0))
        end = whole.expires_at
    soft, hard = _deadlines(parts, end, now=datetime.now(UTC))
    launched = Launched(
        session_id=str(uuid.uuid5(_SESSIONS, lease_id)),
        model_port=await shell.forward(parts.gateway.port),
        soft_deadline=soft,
        hard_deadline=hard,
        lease_end=end,
        lease_id=lease_id,
        attempt=attempt,
        log_offset=await _log_size(shell, request, paths) if attempt > 1 else 0,
        earlier_turns=await _turns(parts, request) if attempt > 1 else 0,
    )
    await shell.write(plan, launched.model_dump_json())
    return launched


async def stop_agent(
    parts: Visitor, job_id: JobId, reservation: Reservation, prepared: Prepared, *, attempt: int
) -> None:
    """End the agent and everything it started; fine when it has ended or never began."""
    request = (await parts.jobs.get(job_id)).request
    # An earlier run's agent may be the one that is left.
    run = run_of_lease(reservation.lease_id, job_id)
    request = request.model_copy(update={"run": run})
    now = datetime.now(UTC)
    never = Launched(
        session_id="",
        model_port=0,
        soft_deadline=now,
        hard_deadline=now,
        lease_end=now,
        lease_id=reservation.lease_id,
        attempt=attempt,
    )
    async with parts.provider.shell(reservation) as shell:
        await runs.stop(shell, run_of(parts, request, paths_of(prepared), never))


def run_of(parts: Visitor, request: JobRequest, paths: JobPaths, launched: Launched) -> runs.Run:
    """Return where a job's run lives on the machine, and until when."""
    return runs.Run(
        id=f"{_marker(request, paths)}-{launched.attempt}",
        directory=run_directory(
            request, paths, lease_id=launched.lease_id, attempt=launched.attempt
        ),
        cwd=paths.directory,
        log=log_path(request, paths),
        python=f"{paths.environment}/bin/python",
        soft_deadline=launched.soft_deadline,
        hard_deadline=launched.hard_deadline,
        stop_grace=parts.settings.agent.stop_grace,
    )


def _marker(request: JobRequest, paths: JobPaths) -> str:
    """Return the run's id on its machine, where another workspace may have a job of this name."""
    place = hashlib.sha256(paths.directory.encode()).hexdigest()[:8]
    return f"{request.job_id}-{request.run}-{place}"


def run_directory(request: JobRequest, paths: JobPaths, *, lease_id: LeaseId, attempt: int) -> str:
    """Return where the runner keeps its files on the machine."""
    place = place_of(lease_id, request.job_id)
    moved = "" if place == 1 else f"-{place}"
    again = "" if attempt == 1 else f".{attempt}"
    return f"{paths.directory}/run-{request.run}{moved}{again}"


def log_path(request: JobRequest, paths: JobPaths) -> str:
    """Return where a run's agent writes its log on the machine."""
    return f"{paths.directory}/{request.options.agent}-{request.run}.log"


async def _log_size(shell: Shell, request: JobRequest, paths: JobPaths) -> int:
    found = await shell.stat(log_path(request, paths))
    return found.size if found else 0


async def _turns(parts: Parts, request: JobRequest) -> int:
    progress = (await parts.jobs.get(request.job_id)).progress
    return progress.turns if progress else 0


def _options(request: JobRequest, launched: Launched) -> JobOptions:
    """Return the options of this try: what the earlier one took of the turns is gone.

    Of the money the agent knows that by itself: its session is the same.
    """
    left = max(1, request.options.max_turns - launched.earlier_turns)
    return request.options.model_copy(update={"max_turns": left})


async def _findings(parts: Parts, request: JobRequest, *, attempt: int) -> str:
    """Return what the agent is told of the bot's own proof."""
    text = await parts.documents.read(request.job_id, request.run, PROOF)
    if text is None:
        raise AgentError("there is no proof to go on from")
    is_last = attempt > parts.settings.proof.retries
    proof = Proof.model_validate_json(text)
    return await asyncio.to_thread(retry_prompt, proof, is_last=is_last)


async def end_of(parts: Parts, reservation: Reservation) -> datetime:
    """Return when a reservation ends by now: it may have been extended."""
    ends = await parts.leases.ends((reservation.lease_id,))
    return ends.get(reservation.lease_id, reservation.expires_at)


def _latest_end(parts: Parts, request: JobRequest, launched: Launched) -> datetime:
    """Return until when the reservation may be extended: an agent's token cannot be changed."""
    more = max(0.0, parts.settings.limits.hours - request.options.hours)
    return launched.lease_end + timedelta(hours=more)


def _deadlines(parts: Parts, end: datetime, *, now: datetime) -> tuple[datetime, datetime]:
    left = end - now
    hard = end - min(WRAP_UP, left / _SHARE)
    soft = hard - min(parts.settings.agent.soft_deadline, left / 4)
    return soft, hard


def paths_of(prepared: Prepared) -> JobPaths:
    """Return where the job is on its machine; raise AgentError when it is nowhere."""
    if prepared.paths is None:
        raise AgentError("the workspace of the job is not prepared")
    return prepared.paths


async def _path(shell: Shell, paths: JobPaths) -> str:
    """Return PATH for the agent: the job's programs first, then those of a login."""
    login = await shell.run("bash", "-lc", 'printf "%s" "$PATH"')
    return f"{paths.environment}/bin:{login.stdout.strip().splitlines()[-1]}"


def _environment(
    paths: JobPaths, reservation: Reservation, *, run_directory: str
) -> dict[str, str]:
    environment = {
        "PYTHONPATH": paths.worktree,
        "VIRTUAL_ENV": paths.environment,
        "PTQ_RUN_DIR": run_directory,
    }
    return environment | gpus_of(reservation)


def gpus_of(reservation: Reservation) -> dict[str, str]:
    """Return what shows a program only the GPUs of its slot."""
    if not reservation.gpus:
        return {}
    first = reservation.slot * reservation.gpus
    shares = range(first, first + reservation.gpus)
    return {"CUDA_VISIBLE_DEVICES": ",".join(map(str, shares))}
