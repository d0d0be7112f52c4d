"""Every step of a job, by the name under which the workflow asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot import render
from bot.investigation import (
    admission,
    agent,
    ending,
    following,
    labels,
    machine,
    moving,
    outcome,
    proving,
)
from bot.investigation.hiding import hide_earlier_reports
from bot.investigation.records import (
    Admitted,
    Done,
    Followed,
    Gathered,
    Launched,
    Moved,
    Prepared,
    Proven,
    Published,
    Reserved,
)
from bot.models import StopKind

if TYPE_CHECKING:
    from datetime import timedelta

    from bot.errors import PtqError
    from bot.investigation.parts import Parts
    from bot.investigation.story import Story
    from bot.models import JobId, Outcome, Reservation


class Steps:
    """Touches the world; each step may run twice, and finds what it made before."""

    def __init__(self, parts: Parts) -> None:
        """Work with these parts."""
        self._parts = parts

    @property
    def retries(self) -> int:
        """How often an agent gets another try."""
        return self._parts.settings.proof.retries

    @property
    def patience(self) -> timedelta:
        """How long a machine may be away before that counts as its death."""
        return self._parts.settings.away_patience

    async def is_killed(self, job_id: JobId) -> bool:
        """Whether somebody has killed the job by now."""
        stops = await self._parts.jobs.stops((job_id,))
        return stops.get(job_id) is StopKind.KILLED

    def outcome(self, story: Story) -> Outcome:
        """Return how a job ends that came this far; pure."""
        return outcome.settle(story, redactor=self._parts.redactor)

    def told(self, error: PtqError) -> str:
        """Return what people are told of an error; pure."""
        return render.problem(error, redactor=self._parts.redactor)

    async def admit(self, job_id: JobId) -> Admitted:
        """Freeze the issue; say why the job is refused, if it is."""
        return await admission.admit(self._parts, job_id)

    async def announce(self, job_id: JobId) -> Done:
        """Write the one progress comment."""
        await self._parts.reporter.announce(job_id)
        return Done()

    async def reserve(self, job_id: JobId, *, place: int = 1) -> Reserved:
        """Wait for a machine."""
        return await machine.reserve(self._parts, job_id, place=place)

    async def move(self, job_id: JobId, *, place: int) -> Moved:
        """Let go of a machine that died."""
        return await moving.move(self._parts, job_id, place=place)

    async def prepare(self, job_id: JobId, reservation: Reservation) -> Prepared:
        """Make the workspace, the job's worktree and environment, and the brief."""
        return await machine.prepare(self._parts, job_id, reservation)

    async def launch(
        self, job_id: JobId, reservation: Reservation, prepared: Prepared, *, attempt: int
    ) -> Launched:
        """Start the agent, or its session again."""
        return await agent.launch(self._parts, job_id, reservation, prepared, attempt=attempt)

    async def follow(
        self, job_id: JobId, reservation: Reservation, prepared: Prepared, launched: Launched
    ) -> Followed:
        """Read the agent's log to its end."""
        return await following.follow(self._parts, job_id, reservation, prepared, launched)

    async def stop_agent(
        self, job_id: JobId, reservation: Reservation, prepared: Prepared, *, attempt: int
    ) -> Done:
        """End the agent and everything it started."""
        await agent.stop_agent(self._parts, job_id, reservation, prepared, attempt=attempt)
        return Done()

    async def collect(
        self, job_id: JobId, reservation: Reservation, prepared: Prepared, *, partial: bool
    ) -> Gathered:
        """Fetch what the agent left."""
        return await ending.collect(self._parts, job_id, reservation, prepared, partial=partial)

    async def prove(
        self, job_id: JobId, reservation: Reservation, prepared: Prepared, *, attempt: int
    ) -> Proven:
        """Run the repro ourselves."""
        return await proving.prove_job(self._parts, job_id, reservation, prepared, attempt=attempt)

    async def release(self, job_id: JobId, *, place: int = 1, leaves_agent: bool = False) -> Done:
        """Give the machine back."""
        await machine.release(self._parts, job_id, place=place, leaves_agent=leaves_agent)
        return Done()

    async def publish(self, job_id: JobId) -> Published:
        """Open the draft pull request, or say why there is none."""
        return await ending.publish(self._parts, job_id)

    async def settle(self, job_id: JobId, ended: Outcome) -> Done:
        """Write down how the job ends."""
        await ending.settle(self._parts, job_id, ended)
        return Done()

    async def report(self, job_id: JobId) -> Done:
        """Give the progress comment its final form, with the report."""
        await self._parts.reporter.report(job_id)
        await hide_earlier_reports(self._parts, job_id)
        return Done()

    async def close(self, job_id: JobId) -> Done:
        """Write the one closing comment."""
        await self._parts.reporter.close(job_id)
        return Done()

    async def label(self, job_id: JobId) -> Done:
        """Put the label that tells how the job ended."""
        await labels.label(self._parts, job_id)
        return Done()

    async def finish(self, job_id: JobId, ended: Outcome) -> Done:
        """End the job."""
        await ending.finish(self._parts, job_id, ended)
        return Done()
