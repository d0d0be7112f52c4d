"""The steps about the agent: start it, follow it to its end, stop it."""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from bot.agents import model_port, runs
from bot.agents.base import Launch
from bot.errors import AgentError, RemoteFileMissing
from bot.investigation.cancelling import unless_cancelled
from bot.investigation.records import Followed, Launched, Prepared
from bot.models import AgentEnd, AgentResult, JobState, Proof
from bot.workspace.retry import retry_prompt

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from bot.investigation.parts import Parts
    from bot.machines.base import Shell
    from bot.models import JobId, JobPaths, JobRequest, Reservation

AGENT_STARTED = "agent_started"
AGENT_ENDED = "agent_ended"

PROOF = "proof.json"
"""The document that holds what the bot itself saw."""

WRAP_UP = timedelta(minutes=20)
"""Kept of a reservation for collecting and proving after the agent."""
_SHARE = 8
"""A short reservation keeps one part in this many instead."""

_PLAN_BYTES = 4096
_LATE = timedelta(minutes=2)
"""The runner ends the agent at its deadline; this much later we do it ourselves."""
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
    paths = _paths(prepared)
    agent = parts.agent(request.options.agent)
    async with parts.provider.shell(reservation) as shell:
        launched = await _plan(parts, request, paths, reservation, shell, attempt=attempt)
        run = run_of(parts, request, paths, launched)
        launching = Launch(
            options=request.options,
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
            model_token=parts.gateway.token(job_id, until=launched.hard_deadline),
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
    plan = f"{run_directory(request, paths, attempt=attempt)}/plan.json"
    try:
        launched = Launched.model_validate_json(await shell.read(plan, limit=_PLAN_BYTES))
    except RemoteFileMissing:
        pass
    else:
        # Whoever follows the run leads its port to the model.
        # The file lies on the machine: it may shorten the time, and never lengthen it.
        hard = min(launched.hard_deadline, reservation.expires_at)
        return launched.model_copy(update={"hard_deadline": hard})
    soft, hard = _deadlines(parts, reservation, now=datetime.now(UTC))
    launched = Launched(
        session_id=str(uuid.uuid5(_SESSIONS, f"{request.job_id}/{request.run}")),
        model_port=await shell.forward(parts.gateway.port),
        soft_deadline=soft,
        hard_deadline=hard,
        attempt=attempt,
        log_offset=await _log_size(shell, request, paths) if attempt > 1 else 0,
        earlier_turns=await _turns(parts, request) if attempt > 1 else 0,
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
    async with (
        parts.provider.shell(reservation) as shell,
        parts.reporter.live(job_id),
        parts.jobs.progress.written(),
        model_port.kept(
            shell,
            launched.model_port,
            gateway=parts.gateway.port,
            directory=run.directory,
            python=run.python,
        ),
    ):
        result = await unless_cancelled(
            parts, job_id, _until_late(_read(parts, request, shell, run, launched), launched)
        )
        if result is None:
            await runs.stop(shell, run)
            result = await _read(parts, request, shell, run, launched)
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


async def _read(
    parts: Parts, request: JobRequest, shell: Shell, run: runs.Run, launched: Launched
) -> AgentResult:
    parser = parts.agent(request.options.agent).parser()
    progress = parser.progress
    async with aclosing(runs.follow(shell, run, offset=launched.log_offset)) as chunks:
        async for chunk in chunks:
            parser.feed(chunk.data)
            if parser.progress != progress:
                progress = parser.progress
                turns = progress.turns + launched.earlier_turns
                shown = progress.model_copy(update={"turns": turns})
                parts.jobs.progress.keep(request.job_id, shown)
    status = await runs.status(shell, run)
    if status.state == "absent":
        return AgentResult(end=AgentEnd.CRASHED, message="the agent was not started")
    return parser.result(status.exit_status, stopped=status.stopped, timed_out=status.timed_out)


async def stop_agent(
    parts: Parts, job_id: JobId, reservation: Reservation, prepared: Prepared, *, attempt: int
) -> None:
    """End the agent and everything it started; fine when it has ended or never began."""
    request = (await parts.jobs.get(job_id)).request
    now = datetime.now(UTC)
    never = Launched(
        session_id="", model_port=0, soft_deadline=now, hard_deadline=now, attempt=attempt
    )
    async with parts.provider.shell(reservation) as shell:
        await runs.stop(shell, run_of(parts, request, _paths(prepared), never))


def run_of(parts: Parts, request: JobRequest, paths: JobPaths, launched: Launched) -> runs.Run:
    """Return where a job's run lives on the machine, and until when."""
    return runs.Run(
        id=f"{_marker(request, paths)}-{launched.attempt}",
        directory=run_directory(request, paths, attempt=launched.attempt),
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


def run_directory(request: JobRequest, paths: JobPaths, *, attempt: int) -> str:
    """Return where the runner keeps its files on the machine."""
    again = "" if attempt == 1 else f".{attempt}"
    return f"{paths.directory}/run-{request.run}{again}"


def log_path(request: JobRequest, paths: JobPaths) -> str:
    """Return where a run's agent writes its log on the machine."""
    return f"{paths.directory}/{request.options.agent}-{request.run}.log"


async def _log_size(shell: Shell, request: JobRequest, paths: JobPaths) -> int:
    found = await shell.stat(log_path(request, paths))
    return found.size if found else 0


async def _turns(parts: Parts, request: JobRequest) -> int:
    progress = (await parts.jobs.get(request.job_id)).progress
    return progress.turns if progress else 0


async def _findings(parts: Parts, request: JobRequest, *, attempt: int) -> str:
    """Return what the agent is told of the bot's own proof."""
    text = await parts.documents.read(request.job_id, request.run, PROOF)
    if text is None:
        raise AgentError("there is no proof to go on from")
    is_last = attempt > parts.settings.proof.retries
    proof = Proof.model_validate_json(text)
    return await asyncio.to_thread(retry_prompt, proof, is_last=is_last)


def _deadlines(
    parts: Parts, reservation: Reservation, *, now: datetime
) -> tuple[datetime, datetime]:
    left = reservation.expires_at - now
    hard = reservation.expires_at - min(WRAP_UP, left / _SHARE)
    soft = hard - min(parts.settings.agent.soft_deadline, left / 4)
    return soft, hard


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
    return environment | gpus_of(reservation)


def gpus_of(reservation: Reservation) -> dict[str, str]:
    """Return what shows a program only the GPUs of its slot."""
    if not reservation.gpus:
        return {}
    first = reservation.slot * reservation.gpus
    shares = range(first, first + reservation.gpus)
    return {"CUDA_VISIBLE_DEVICES": ",".join(map(str, shares))}
