"""``ptq clean``: remove the directories of jobs from their machine."""

from __future__ import annotations

import asyncio
import getpass
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli import background
from bot.cli.job_names import job_names
from bot.cli.machine_side import LOCAL, listed, side_of
from bot.cli.opened import opened
from bot.cli.words import AsJson
from bot.commands import job_named
from bot.errors import CommandError, InputError
from bot.investigation.cleaning import let_go, machines_of, visiting
from bot.investigation.moving import end_haunting
from bot.machines import provider
from bot.models import JobState
from bot.settings import Settings
from bot.store import JobIds
from bot.workspace import worktree

if TYPE_CHECKING:
    from bot.cli.machine_side import Side
    from bot.cli.opened import Opened
    from bot.machines.base import MachineProvider
    from bot.models import JobId
    from bot.store import Job, Jobs, Leases

_ENDING = timedelta(minutes=15)
"""How long a job may take to end that was told to."""
_LOOK = 0.5
_MOST = 10_000


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What became of the jobs of a machine."""

    machine: str
    removed: list[JobId]
    kept: list[JobId]
    running: list[JobId]
    """They were left alone."""


@dataclass(frozen=True, slots=True)
class _Visitor:
    """What a terminal ends and removes with on a machine."""

    settings: Settings
    jobs: Jobs
    leases: Leases
    provider: MachineProvider


def clean(
    target: Annotated[
        str | None,
        typer.Argument(
            metavar="JOB|MACHINE",
            autocompletion=job_names,
            help="A job's id, an issue's number, or a machine of the settings.",
            show_default=False,
        ),
    ] = None,
    *,
    local: Annotated[bool, typer.Option("--local", help="The jobs on this computer.")] = False,
    keep: Annotated[
        int, typer.Option("--keep", metavar="N", min=0, help="Keep the N newest jobs there.")
    ] = 0,
    everything: Annotated[
        bool, typer.Option("--all", help="Running jobs too: they are stopped first.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Remove the directories and worktrees of jobs from their machine; release what they reserve.

    A running job is left alone without --all. What the jobs found stays here (`ptq results`). A
    machine that does not answer ends it: then nothing is removed or released. Directories of jobs
    that this database does not know are never touched.
    """
    if local == (target is not None):
        raise InputError("name a job or a machine of the settings, or say --local")
    settings = Settings.load()
    done = asyncio.run(_clean(settings, LOCAL if target is None else target, keep, everything))
    if as_json:
        names = ("machine", "removed", "kept", "running")
        typer.echo(json.dumps({name: getattr(done, name) for name in names}))
        return
    for job_id in done.removed:
        typer.echo(f"removed {job_id}")
    for job_id in done.running:
        typer.echo(f"left {job_id}: it is running; --all stops it first")
    if not done.removed:
        typer.echo(f"There is nothing to remove on {done.machine}.")


async def _clean(settings: Settings, target: str, keep: int, everything: bool) -> Cleaned:  # noqa: FBT001 -- the options as they were given
    async with opened(settings) as here:
        await background.see_to_it(here)
        names = {machine.name for machine in settings.machines} | {LOCAL}
        if target in names:
            return await _clean_machine(here, target, keep=keep, everything=everything)
        job = await _job(here, target, names)
        if keep:
            raise InputError("--keep is for a machine: a job that is named is removed")
        if not job.state.is_end and not everything:
            raise CommandError(f"{job.id} is running ({job.state.value}): --all stops it first")
        if job.machine is None:
            raise CommandError(f"{job.id} has no machine, so there is nothing to remove")
        listed(settings, job.machine)
        removed = False
        for name in await machines_of(here.leases, job):
            if name in names:
                async with side_of(settings, name) as side:
                    removed = await _remove(here, side, job) or removed
        return Cleaned(job.machine, [job.id] if removed else [], [], [])


async def _job(here: Opened, target: str, names: set[str]) -> Job:
    try:
        return await here.job(target)
    except CommandError as error:
        if job_named(target) is not None:
            raise
        machines = ", ".join(sorted(names))
        raise CommandError(f"{error}; the machines are {machines}") from error


async def _clean_machine(here: Opened, name: str, *, keep: int, everything: bool) -> Cleaned:
    done = Cleaned(name, [], [], [])
    async with side_of(here.settings, name) as side:
        # It must answer before anything else is done.
        await side.shell.run("true")
        jobs = await _there(here, side, name)
        done.kept.extend(job.id for job in jobs[:keep])
        for job in jobs[keep:]:
            if not job.state.is_end and not everything:
                done.running.append(job.id)
            elif await _remove(here, side, job):
                done.removed.append(job.id)
    return done


async def _there(here: Opened, side: Side, name: str) -> list[Job]:
    """Return our jobs that have a directory there, newest first."""
    ids = await JobIds(here.database).listed(limit=_MOST, machine=name)
    jobs = [await here.jobs.get(job_id) for job_id in ids]
    jobs.sort(key=lambda job: job.states[JobState.RECEIVED], reverse=True)
    return [job for job in jobs if await side.shell.stat(side.layout.job(job.id).directory)]


async def _remove(here: Opened, side: Side, job: Job) -> bool:
    """Stop the job where it runs, remove its directory, release its machine."""
    if not job.state.is_end:
        await here.jobs.request_kill(job.id, getpass.getuser())
        await background.see_to_it(here)
        await _ended(here, job.id)
    lender = provider(here.settings, here.leases)
    visitor = _Visitor(here.settings, here.jobs, here.leases, lender)
    try:
        place = None if side.machine is None else visiting(visitor, side.machine.name)
        if place is not None:
            # An agent that was left there when its machine died: its files are what finds it.
            await end_haunting(visitor, place)
        was_there = await side.shell.stat(side.layout.job(job.id).directory) is not None
        await worktree.remove(side.shell, side.layout, job.id)
        await let_go(here.leases, lender, job.id)
    finally:
        await lender.close()
    return was_there


async def _ended(here: Opened, job_id: JobId) -> None:
    try:
        async with asyncio.timeout(_ENDING.total_seconds()):
            while await here.jobs.is_unfinished(job_id):  # noqa: ASYNC110 -- another process ends it: a row is all that both see
                await asyncio.sleep(_LOOK)
    except TimeoutError as error:
        raise CommandError(f"{job_id} does not end: its files are left") from error
