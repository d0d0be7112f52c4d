"""``ptq takeover``: the line that enters a job's worktree, with its environment."""

from __future__ import annotations

import asyncio
import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from bot.cli import background
from bot.cli.machine_side import side_of
from bot.cli.opened import opened
from bot.cli.words import AsJson, JobName
from bot.errors import CommandError
from bot.investigation.agent import gpus_of
from bot.machines import provider
from bot.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.cli.opened import Opened
    from bot.models import JobPaths
    from bot.settings import MachineSettings
    from bot.store import Job


def takeover(job: JobName, *, as_json: AsJson = False) -> None:
    """Print the line that enters a job's worktree on its machine, with the job's environment.

    `$(ptq takeover JOB)` does not enter it: copy the line, or use `eval "$(ptq takeover JOB)"`.
    An agent that is still at work is in the same worktree: `ptq kill JOB` stops it first.
    """
    found, line = asyncio.run(_find(Settings.load(), job))
    if as_json:
        typer.echo(json.dumps({"job": found.id, "machine": found.machine, "command": line}))
        return
    typer.echo(line)
    if not found.state.is_end:
        typer.echo(f"ptq: {found.id} is {found.state.value}: its agent may be at work", err=True)


async def _find(settings: Settings, name: str) -> tuple[Job, str]:
    async with opened(settings) as here:
        await background.see_to_it(here)
        job = await here.job(name)
        if job.machine is None:
            raise CommandError(f"{job.id} has no machine: it is {job.state.value}")
        variables = await _gpus(here, job)
        async with side_of(settings, job.machine) as side:
            paths = side.layout.job(job.id)
            if await side.shell.stat(paths.worktree) is None:
                raise CommandError(f"{job.machine} has no worktree of {job.id} (any more)")
        inside = _inside(paths, variables)
        if side.machine is None:
            return job, shlex.join(inside)
        return job, shlex.join([*await _ssh(settings, side.machine), shlex.join(inside)])


async def _gpus(here: Opened, job: Job) -> dict[str, str]:
    """Return what shows only the job's GPUs; nothing once they were given back."""
    lease = await here.leases.of_job(job.id)
    lent = lease and await provider(here.settings, here.leases).look_up(lease.id)
    return {} if lent is None else gpus_of(lent)


def _inside(paths: JobPaths, variables: dict[str, str]) -> Sequence[str]:
    """Return argv of a login's shell in the worktree; the login's own PATH comes last.

    The variables are set after the login's own .bashrc, which may put another Python first.
    """
    environment = {
        "PYTHONPATH": paths.worktree,
        "VIRTUAL_ENV": paths.environment,
        **variables,
    }
    written = " ".join(f"{name}={shlex.quote(value)}" for name, value in environment.items())
    path = f'PATH={shlex.quote(f"{paths.environment}/bin")}:"$PATH"'
    after = f"[ -f ~/.bashrc ] && . ~/.bashrc; export {written} {path}"
    return (
        *("bash", "-lc"),
        f"cd {shlex.quote(paths.worktree)} && exec bash --rcfile <(echo {shlex.quote(after)}) -i",
    )


async def _ssh(settings: Settings, machine: MachineSettings) -> Sequence[str]:
    """Return argv of ssh that logs in as ptq does, with the same pinned key."""
    known = machine.known_hosts.strip()
    path = known
    if " " in known:
        # The key itself, written out in the settings.
        path = str(settings.state / "known_hosts" / machine.name)
        host = machine.host if machine.port == 22 else f"[{machine.host}]:{machine.port}"  # noqa: PLR2004 -- SSH's own port
        await asyncio.to_thread(
            _write, Path(path), "".join(f"{host} {key}\n" for key in known.splitlines())
        )
    return (
        *("ssh", "-t", "-p", str(machine.port), "-i", str(machine.key.expanduser())),
        *("-o", f"UserKnownHostsFile={path}", "-o", "StrictHostKeyChecking=yes"),
        *("-o", "IdentitiesOnly=yes", f"{machine.user}@{machine.host}"),
    )


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
