"""The next run of a job, asked for in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.agents import agents
from bot.cli import background
from bot.cli.asking import Asked, Wanted, ask
from bot.cli.lent import require_lent
from bot.cli.opened import opened
from bot.cli.options import changes_of
from bot.configuration import RepositoryConfiguration
from bot.errors import CommandError
from bot.intake.options import job_options

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.settings import Settings


async def run_again(
    settings: Settings,
    name: str,
    *,
    said: Mapping[str, str | None],
    words: Sequence[str],
    guidance: str,
) -> Asked:
    """Ask for the next run, with the last one's options where nothing else is said."""
    changes = changes_of(said, words)
    async with opened(settings) as here:
        job = await here.job(name)
        if not job.state.is_end:
            raise CommandError(
                f"{job.id} has not ended: it is {job.state.value}; `ptq kill {job.id}` stops it"
            )
        if changes.said & {"machine"} and changes.options.machine is not None:
            require_lent(settings, changes.options.machine)
        wanted = Wanted(
            repository=job.request.repository,
            issue_number=job.request.issue_number,
            task=job.request.task,
            guidance=guidance,
            options=job_options(
                changes,
                configuration=RepositoryConfiguration(),
                limits=settings.limits,
                agents=agents(settings.agent),
                last=job.request.options,
            ),
        )
        asked = await ask(here, wanted, again=job.id)
        await background.see_to_it(here)
        return asked
