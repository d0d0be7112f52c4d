"""The steps about the machine: reserve one, prepare the job's workspace on it, give it back."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from bot.configuration import Limits, patch_rules
from bot.investigation.admission import frozen_issue
from bot.investigation.cancelling import unless_cancelled
from bot.investigation.earlier import earlier_runs
from bot.investigation.extending import begun_anew
from bot.investigation.lease_ids import lease_of
from bot.investigation.moving import begin_anew, end_haunting
from bot.investigation.records import Prepared, Reserved
from bot.models import GpuRequest, JobState
from bot.patch import may_hold_compiled
from bot.workspace import brief, rebuilding, repro, worktree
from bot.workspace.earlier import hand_over, is_carried, put_patch, section
from bot.workspace.free_task import subject
from bot.workspace.layout import Layout
from bot.workspace.prepare import prepare as prepare_workspace
from bot.workspace.snapshot import visible

if TYPE_CHECKING:
    from bot.investigation.parts import Parts
    from bot.models import JobId, JobRequest, LeaseId, Reservation

MACHINE_RESERVED = "machine_reserved"
MACHINE_RELEASED = "machine_released"
WORKSPACE_PREPARED = "workspace_prepared"
WORKSPACE_STEP = "workspace_step"

_log = structlog.stdlib.get_logger(__name__)


async def reserve(parts: Parts, job_id: JobId, *, place: int) -> Reserved:
    """Wait for a machine; the lease's row stands before anything is asked of the provider."""
    request = (await parts.jobs.get(job_id)).request
    lease_id = lease_of(request, place=place)
    wanted = GpuRequest(
        gpu_type=request.options.gpu_type,
        gpus=request.options.gpus,
        duration=timedelta(hours=request.options.hours),
        machine=request.options.machine,
    )
    parts.provider.check(wanted)
    own = await _own_limits(parts, request)
    await parts.leases.open(
        lease_id,
        job_id,
        parts.provider.name,
        wanted,
        repository_limit=own.jobs,
        person_limit=own.jobs_per_person,
    )
    await parts.jobs.enter(job_id, JobState.QUEUED)
    async with parts.reporter.live(job_id):
        reservation = await unless_cancelled(parts, job_id, _ask(parts, job_id, lease_id, wanted))
    if reservation is not None:
        await parts.jobs.set_machine(job_id, reservation.machine)
        _log.info(MACHINE_RESERVED, machine=reservation.machine, lease=lease_id)
    return Reserved(reservation=reservation)


async def _own_limits(parts: Parts, request: JobRequest) -> Limits:
    """Return the limits of the repository's own configuration; none for a job of a terminal."""
    if (thread := request.thread) is None:
        return Limits()
    return (await parts.configurations.of(parts.repository(thread))).configuration.limits


async def _ask(parts: Parts, job_id: JobId, lease_id: LeaseId, wanted: GpuRequest) -> Reservation:
    """Wait for the job's turn, which the queue decides; then ask the provider."""
    await parts.room.turn(lease_id)
    await parts.jobs.enter(job_id, JobState.RESERVING)
    reservation = await parts.provider.reserve(lease_id, wanted)
    await end_haunting(parts, reservation)
    request = (await parts.jobs.get(job_id)).request
    return await begun_anew(parts, request, reservation, at_least=wanted.duration / 2)


async def prepare(parts: Parts, job_id: JobId, reservation: Reservation) -> Prepared:
    """Make the workspace, the job's worktree and environment, and the brief."""
    await parts.jobs.enter(job_id, JobState.PREPARING)
    await parts.reporter.show(job_id)
    async with parts.reporter.live(job_id):
        prepared = await unless_cancelled(parts, job_id, _prepare(parts, job_id, reservation))
    return prepared or Prepared()


async def _prepare(parts: Parts, job_id: JobId, reservation: Reservation) -> Prepared:
    request = (await parts.jobs.get(job_id)).request
    frozen = await frozen_issue(parts, request)
    # Text of strangers: what reads it is linear, and may still take a while.
    issue = await asyncio.to_thread(visible, frozen, request.options.include_comments)
    found = await asyncio.to_thread(repro.from_snapshot, subject(request, issue))
    runs = await earlier_runs(parts, request)

    async def tell(line: str) -> None:
        _log.info(WORKSPACE_STEP, doing=line)

    async with parts.provider.shell(reservation) as shell:
        layout = Layout(await shell.expand(reservation.workspace))
        build = await prepare_workspace(shell, layout, parts.settings.torch, tell=tell)
        await parts.jobs.set_build(job_id, build)
        await begin_anew(shell, layout, request, reservation)
        patch = await put_patch(shell, layout, layout.job(job_id), runs) if runs else None
        paths = await worktree.create(
            shell, layout, job_id, build, module=parts.settings.torch.module, patch=patch
        )
        may_build = await _may_build(parts, request)
        said = ""
        if patch is not None:
            said = section(runs, await is_carried(shell, paths, runs, patch))
            agent = request.options.agent
            await hand_over(shell, paths, runs, run=request.run, agent=agent)
        prompt = await brief.write_brief(
            shell,
            paths=paths,
            skills=f"{paths.directory}/home/{parts.agent(request.options.agent).skills}",
            request=request,
            snapshot=issue,
            repro=found,
            build=build,
            reservation=reservation,
            may_build=may_build,
            earlier=said,
        )
        if may_build:
            module = parts.settings.torch.module
            await rebuilding.offer(shell, layout, paths, build, module=module)
    _log.info(WORKSPACE_PREPARED, version=build.version, commit=build.base_commit)
    return Prepared(build=build, paths=paths, prompt=prompt)


async def _may_build(parts: Parts, request: JobRequest) -> bool:
    """Whether the repository lets patches change compiled code."""
    rules = parts.settings.patch
    if (thread := request.thread) is not None:
        configuration = (await parts.configurations.of(parts.repository(thread))).configuration
        rules = patch_rules(rules, configuration)
    return may_hold_compiled(rules)


async def release(parts: Parts, job_id: JobId, *, place: int, leaves_agent: bool) -> None:
    """Give the machine back; fine when none was reserved.

    An agent that may still run there is remembered: it ends when the machine answers again.
    """
    request = (await parts.jobs.get(job_id)).request
    lease_id = lease_of(request, place=place)
    if await parts.leases.machine(lease_id) is not None:
        await parts.jobs.enter(job_id, JobState.RELEASING)
    if leaves_agent:
        await parts.leases.lose(lease_id)
    await parts.provider.release(lease_id)
    await parts.leases.release(lease_id)
    parts.room.look()
    _log.info(MACHINE_RELEASED, lease=lease_id)
