"""The steps about the agent: start it, follow it to its end, stop it."""

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
from bot.investigation.cancelling import unless_cancelled
from bot.investigation.records import Followed, Launched, Prepared
from bot.models import AgentEnd, AgentResult, JobState

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from bot.agents.base import Agent
    from bot.investigation.parts import Parts
    from bot.machines.base import Shell
    from bot.models import JobId, JobPaths, JobRequest, Reservation

AGENT_STARTED = "agent_started"
AGENT_ENDED = "agent_ended"

WRAP_UP = timedelta(minutes=10)
"""Kept of a reservation for collecting and proving after the agent."""
_SHARE = 8
"""A short reservation keeps one part in this many instead."""

_PLAN_BYTES = 4096
_LATE = timedelta(minutes=2)
"""The runner ends the agent at its deadline; this much later we do it ourselves."""
_SESSIONS = uuid.UUID("6f0d3a52-6a0b-4a5e-9c3e-0f5f0f1f8e55")
_log = structlog.stdlib.get_logger(__name__)


async def launch(
    parts: Parts, job_id: JobId, reservation: Reservation, prepared: Prepared
) -> Launched:
    """Start the agent detached, once: it outlives this process and its connections."""
    request = (await parts.jobs.get(job_id)).request
    await parts.jobs.enter(job_id, JobState.INVESTIGATING)
    await parts.reporter.show(job_id)
    paths = _paths(prepared)
    agent = _agent(parts, request)
    async with parts.provider.shell(reservation) as shell:
        launched = await _plan(parts, request, paths, reservation, shell)
        run = run_of(parts, request, paths, launched)
        launching = Launch(
            options=request.options,
            session_id=launched.session_id,
            resume=False,
            prompt=prepared.prompt,
            directory=paths.directory,
            worktree=paths.worktree,
            home=f"{paths.directory}/home",
            path=await _path(shell, paths),
            model_url=f"http://127.0.0.1:{launched.model_port}",
            model_token=parts.gateway.token(job_id, until=launched.hard_deadline),
            environment=_environment(paths, reservation, run_directory=run.directory),
        )
        await runs.start(shell, run, agent.invocation(launching))
    _log.info(AGENT_STARTED, agent=agent.name, session=launched.session_id)
    return launched


async def _plan(
    parts: Parts, request: JobRequest, paths: JobPaths, reservation: Reservation, shell: Shell
) -> Launched:
    """Write down how the agent will be started, or find what an interrupted try wrote."""
    plan = f"{run_directory(request, paths)}/plan.json"
    try:
        launched = Launched.model_validate_json(await shell.read(plan, limit=_PLAN_BYTES))
    except RemoteFileMissing:
        pass
    else:
        await shell.forward(parts.gateway.port, remote_port=launched.model_port)
        return launched
    soft, hard = _deadlines(parts, reservation, now=datetime.now(UTC))
    launched = Launched(
        session_id=str(uuid.uuid5(_SESSIONS, f"{request.job_id}/{request.run}")),
        model_port=await shell.forward(parts.gateway.port),
        soft_deadline=soft,
        hard_deadline=hard,
    )
    await shell.write(plan, launched.model_dump_json())
    return launched


async def follow(
    parts: Parts,
    job_id: JobId,
    reservation: Reservation,
    prepared: Prepared,
    launched: Launched,
) -> Followed:
    """Read the agent's log until it ends, is cancelled, or its time is over."""
    request = (await parts.jobs.get(job_id)).request
    run = run_of(parts, request, _paths(prepared), launched)
    async with parts.provider.shell(reservation) as shell, parts.reporter.live(job_id):
        await shell.forward(parts.gateway.port, remote_port=launched.model_port)
        result = await unless_cancelled(
            parts, job_id, _until_late(_read(parts, request, shell, run), launched)
        )
        if result is None:
            await runs.stop(shell, run)
            result = await _read(parts, request, shell, run)
    job = await parts.jobs.get(job_id)
    _log.info(AGENT_ENDED, end=result.end, turns=result.progress.turns, usd=result.progress.usd)
    return Followed(result=result, cancelled_by=job.kill_requested_by)


async def _until_late(
    reading: Coroutine[None, None, AgentResult], launched: Launched
) -> AgentResult | None:
    left = launched.hard_deadline + _LATE - datetime.now(UTC)
    try:
        async with asyncio.timeout(max(left, timedelta(0)).total_seconds()):
            return await reading
    except TimeoutError:
        return None


async def _read(parts: Parts, request: JobRequest, shell: Shell, run: runs.Run) -> AgentResult:
    parser = _agent(parts, request).parser()
    progress = parser.progress
    async for chunk in runs.follow(shell, run):
        parser.feed(chunk.data)
        if parser.progress != progress:
            progress = parser.progress
            await parts.jobs.set_progress(request.job_id, progress)
    status = await runs.status(shell, run)
    if status.state == "absent":
        return AgentResult(end=AgentEnd.CRASHED, message="the agent was not started")
    return parser.result(status.exit_status, stopped=status.stopped, timed_out=status.timed_out)


async def stop_agent(
    parts: Parts, job_id: JobId, reservation: Reservation, prepared: Prepared
) -> None:
    """End the agent and everything it started; fine when it has ended or never began."""
    request = (await parts.jobs.get(job_id)).request
    now = datetime.now(UTC)
    never = Launched(session_id="", model_port=0, soft_deadline=now, hard_deadline=now)
    async with parts.provider.shell(reservation) as shell:
        await runs.stop(shell, run_of(parts, request, _paths(prepared), never))


def run_of(parts: Parts, request: JobRequest, paths: JobPaths, launched: Launched) -> runs.Run:
    """Return where a job's run lives on the machine, and until when."""
    return runs.Run(
        id=_marker(request, paths),
        directory=run_directory(request, paths),
        cwd=paths.directory,
        log=f"{paths.directory}/{request.options.agent}-{request.run}.log",
        python=f"{paths.environment}/bin/python",
        soft_deadline=launched.soft_deadline,
        hard_deadline=launched.hard_deadline,
        stop_grace=parts.settings.agent.stop_grace,
    )


def _marker(request: JobRequest, paths: JobPaths) -> str:
    """Return the run's id on its machine, where another workspace may have a job of this name."""
    place = hashlib.sha256(paths.directory.encode()).hexdigest()[:8]
    return f"{request.job_id}-{request.run}-{place}"


def run_directory(request: JobRequest, paths: JobPaths) -> str:
    """Return where the runner keeps its files on the machine."""
    return f"{paths.directory}/run-{request.run}"


def _deadlines(
    parts: Parts, reservation: Reservation, *, now: datetime
) -> tuple[datetime, datetime]:
    left = reservation.expires_at - now
    hard = reservation.expires_at - min(WRAP_UP, left / _SHARE)
    soft = hard - min(parts.settings.agent.soft_deadline, left / 4)
    return soft, hard


def _agent(parts: Parts, request: JobRequest) -> Agent:
    agent = parts.agents.get(request.options.agent)
    if agent is None:
        raise AgentError(f"there is no agent named {request.options.agent}")
    return agent


def _paths(prepared: Prepared) -> JobPaths:
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
    if reservation.gpus:
        first = reservation.slot * reservation.gpus
        shares = range(first, first + reservation.gpus)
        environment["CUDA_VISIBLE_DEVICES"] = ",".join(map(str, shares))
    return environment
