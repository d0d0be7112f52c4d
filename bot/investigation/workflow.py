"""The story of a job, from the accepted request to the closing comment.

Each line that touches the world is a recorded step; between them only what they returned decides.
Whatever happens, the story falls through to the steps that end it: the machine is released, people
are told. There is no ``finally``: it would run when the process is stopped, under a live job.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import structlog

from bot.durable import ONCE, WITH_GITHUB, Engine, Patience, with_machine
from bot.errors import PtqError, Refusal
from bot.investigation import outcome
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
from bot.investigation.story import Story
from bot.models import JobId

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.investigation.steps import Steps

T = TypeVar("T")

JOB_FAILED = "job_failed"
ENDING_STEP_FAILED = "ending_step_failed"
JOB_ENDED = "job_ended"

_log = structlog.stdlib.get_logger(__name__)


class Investigation:
    """The durable workflow of a job."""

    def __init__(self, engine: Engine, steps: Steps) -> None:
        """Record on this engine what these steps do."""
        self._engine = engine
        self._steps = steps

    async def run(self, argument: str) -> None:
        """Carry out the job with this id, from wherever it was."""
        job_id = JobId(argument)
        story = Story()
        with structlog.contextvars.bound_contextvars(job=job_id):
            try:
                await self._begin(job_id)
            except PtqError as error:
                self._failed(story, error)
            else:
                await self._until_proven(job_id, story)
            await self._end(job_id, story)

    def _with_machine(self, job_id: JobId) -> Patience:
        """Wait for a machine that is away; not for long once somebody has killed the job."""
        return with_machine(self._steps.patience, hurried=lambda: self._steps.is_killed(job_id))

    async def _begin(self, job_id: JobId) -> None:
        do, steps = self._do, self._steps
        admitted = await do(
            "admit", lambda: steps.admit(job_id), returns=Admitted, patience=WITH_GITHUB
        )
        if admitted.refusal:
            raise Refusal(admitted.refusal)
        await do("announce", lambda: steps.announce(job_id), returns=Done, patience=WITH_GITHUB)

    async def _until_proven(self, job_id: JobId, story: Story) -> None:
        """Do what takes a machine; once more, on another one, when the first one dies."""
        await self._on_a_machine(job_id, story)
        while outcome.deserves_another_machine(story) and await self._move(job_id, story):
            await self._on_a_machine(job_id, story)

    async def _on_a_machine(self, job_id: JobId, story: Story) -> None:
        """Investigate, collect and prove; what died with its machine is left as it is."""
        try:
            await self._investigate(job_id, story)
        except PtqError as error:
            self._failed(story, error)
        if outcome.has_died(story.error):
            return
        await self._gather(job_id, story)
        await self._prove(job_id, story)
        await self._try_again(job_id, story)

    async def _move(self, job_id: JobId, story: Story) -> bool:
        """Let go of the machine that died; return whether the work begins again."""
        place = story.place
        try:
            moved = await self._do(
                "move",
                lambda: self._steps.move(job_id, place=place),
                returns=Moved,
                patience=self._with_machine(job_id),
            )
        except PtqError as error:
            _log.warning(ENDING_STEP_FAILED, step="move", reason=str(error))
            return False
        story.killed_by = moved.cancelled_by
        if moved.cancelled_by is not None:
            return False
        story.begin_anew()
        return True

    def _went_wrong(self, step: str, story: Story, error: PtqError) -> None:
        """Go on with what there is, unless it is that the machine has died."""
        _log.warning(ENDING_STEP_FAILED, step=step, reason=str(error))
        if outcome.has_died(error):
            story.error = story.error or error

    def _failed(self, story: Story, error: PtqError) -> None:
        _log.warning(JOB_FAILED, kind=type(error).__name__, reason=str(error))
        story.error = error

    async def _investigate(self, job_id: JobId, story: Story) -> None:
        do, steps = self._do, self._steps
        place = story.place
        story.reserved = await do(
            "reserve",
            lambda: steps.reserve(job_id, place=place),
            returns=Reserved,
            patience=self._with_machine(job_id),
            waits=True,
        )
        if (reservation := story.reserved.reservation) is None:
            return
        story.prepared = prepared = await do(
            "prepare",
            lambda: steps.prepare(job_id, reservation),
            returns=Prepared,
            patience=self._with_machine(job_id),
            waits=True,
        )
        if prepared.paths is None:
            return
        await self._run_agent(job_id, story)

    async def _run_agent(self, job_id: JobId, story: Story) -> None:
        """Start the agent, or start its session again, and follow it to its end."""
        reservation = story.reserved.reservation if story.reserved else None
        prepared = story.prepared
        if reservation is None or prepared is None or prepared.paths is None:
            return
        story.attempts += 1
        attempt = story.attempts
        story.launched = launched = await self._do(
            "launch",
            lambda: self._steps.launch(job_id, reservation, prepared, attempt=attempt),
            returns=Launched,
            patience=self._with_machine(job_id),
        )
        story.followed = await self._do(
            "follow",
            lambda: self._steps.follow(job_id, reservation, prepared, launched),
            returns=Followed,
            patience=self._with_machine(job_id),
            waits=True,
        )

    async def _end(self, job_id: JobId, story: Story) -> None:
        """Release, publish, tell: each is tried whatever became of the others."""
        release = self._steps.release
        place, leaves = story.place, outcome.leaves_an_agent(story)
        await self._ending(
            "release",
            lambda: release(job_id, place=place, leaves_agent=leaves),
            patience=self._with_machine(job_id),
        )
        await self._publish(job_id, story)
        ended = self._steps.outcome(story)
        ending = self._ending
        steps = self._steps
        await ending("settle", lambda: steps.settle(job_id, ended), patience=ONCE)
        await ending("report", lambda: steps.report(job_id), patience=WITH_GITHUB)
        await ending("close", lambda: steps.close(job_id), patience=WITH_GITHUB)
        await ending("label", lambda: steps.label(job_id), patience=ONCE)
        await ending("finish", lambda: steps.finish(job_id, ended), patience=ONCE)
        _log.info(JOB_ENDED, state=ended.state, verdict=ended.verdict)

    async def _gather(self, job_id: JobId, story: Story) -> None:
        """Stop the agent, always, and collect what it left."""
        steps = self._steps
        reservation = story.reserved.reservation if story.reserved else None
        prepared = story.prepared
        if reservation is None or prepared is None or prepared.paths is None:
            return
        attempt = story.attempts
        story.is_stopped = await self._ending(
            "stop_agent",
            lambda: steps.stop_agent(job_id, reservation, prepared, attempt=attempt),
            patience=self._with_machine(job_id),
        )
        try:
            story.gathered = await self._do(
                "collect",
                lambda: steps.collect(
                    job_id, reservation, prepared, partial=not outcome.ended_well(story)
                ),
                returns=Gathered,
                patience=self._with_machine(job_id),
            )
        except PtqError as error:
            _log.warning(ENDING_STEP_FAILED, step="collect", reason=str(error))
            story.error = story.error or error

    async def _prove(self, job_id: JobId, story: Story) -> None:
        """Run the repro ourselves, at the base commit and with the patch."""
        reservation = story.reserved.reservation if story.reserved else None
        prepared = story.prepared
        if not outcome.is_worth_proving(story) or reservation is None or prepared is None:
            return
        attempt = story.attempts
        try:
            story.proven = await self._do(
                "prove",
                lambda: self._steps.prove(job_id, reservation, prepared, attempt=attempt),
                returns=Proven,
                patience=self._with_machine(job_id),
                waits=True,
            )
        except PtqError as error:
            self._went_wrong("prove", story, error)

    async def _try_again(self, job_id: JobId, story: Story) -> None:
        """Give the agent what the bot saw, where that refutes its fix."""
        while outcome.deserves_another_try(story, retries=self._steps.retries):
            before = story.followed
            try:
                await self._run_agent(job_id, story)
            except PtqError as error:
                self._went_wrong("try_again", story, error)
                if not outcome.has_died(error):
                    await self._gather(job_id, story)
                return
            await self._gather(job_id, story)
            await self._prove(job_id, story)
            if not outcome.ended_well(story) and not outcome.was_cancelled(story):
                # The first try came to its end: the second one takes nothing from it.
                story.followed = before
                return

    async def _publish(self, job_id: JobId, story: Story) -> None:
        if not outcome.is_published(story):
            return
        try:
            story.published = await self._do(
                "publish",
                lambda: self._steps.publish(job_id),
                returns=Published,
                patience=WITH_GITHUB,
            )
        except PtqError as error:
            _log.warning(ENDING_STEP_FAILED, step="publish", reason=str(error))
            story.published = Published(reason=self._steps.told(error))

    async def _ending(
        self, name: str, work: Callable[[], Awaitable[Done]], *, patience: Patience
    ) -> bool:
        """Do a step whose failure must not keep the next ones from being done; say if it is."""
        try:
            await self._do(name, work, returns=Done, patience=patience)
        except PtqError as error:
            _log.error(ENDING_STEP_FAILED, step=name, reason=str(error))
            return False
        return True

    async def _do(
        self,
        name: str,
        work: Callable[[], Awaitable[T]],
        *,
        returns: type[T],
        patience: Patience,
        waits: bool = False,
    ) -> T:
        return await self._engine.step(name, work, returns=returns, patience=patience, waits=waits)
