"""The step that follows the agent's log to its end, and ends it when it must not go on."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from bot.agents import deadlines, model_port, runs
from bot.durable import answered
from bot.errors import LeaseLost
from bot.investigation.agent import paths_of, run_of
from bot.investigation.records import Followed
from bot.models import AgentEnd, AgentResult, StopKind

if TYPE_CHECKING:
    from bot.investigation.parts import Parts
    from bot.investigation.records import Launched, Prepared
    from bot.machines.base import Shell
    from bot.models import AgentProgress, JobId, JobOptions, JobRequest, Reservation

AGENT_ENDED = "agent_ended"
AGENT_OVERSPENT = "agent_overspent"
DEADLINES_MOVED = "deadlines_moved"

_LATE = timedelta(minutes=2)
"""The runner ends the agent at its deadline; this much later we do it ourselves."""
_MARGIN = 1.1
"""An agent ends by itself at its limits of money and turns; beyond this much we end it."""
_TURNS = 2
"""The least margin of turns: an answer that has begun is one more."""
_ENDS = {StopKind.MAX_USD: AgentEnd.MAX_USD, StopKind.MAX_TURNS: AgentEnd.MAX_TURNS}

_log = structlog.stdlib.get_logger(__name__)


async def follow(
    parts: Parts,
    job_id: JobId,
    reservation: Reservation,
    prepared: Prepared,
    launched: Launched,
) -> Followed:
    """Read the agent's log until it ends, is cancelled, or its time or money is over.

    Raise LeaseLost when the reservation is gone under it.
    """
    request = (await parts.jobs.get(job_id)).request
    run = run_of(parts, request, paths_of(prepared), launched)
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
        following = _Following(parts, request, reservation, shell, run, launched)
        result = await following.to_its_end()
    job = await parts.jobs.get(job_id)
    _log.info(AGENT_ENDED, end=result.end, turns=result.progress.turns, usd=result.progress.usd)
    return Followed(
        result=result,
        cancelled_by=job.kill_requested_by,
        more_hours=following.later / timedelta(hours=1),
    )


class _Following:
    """One agent that is followed."""

    def __init__(
        self,
        parts: Parts,
        request: JobRequest,
        reservation: Reservation,
        shell: Shell,
        run: runs.Run,
        launched: Launched,
    ) -> None:
        self._parts = parts
        self._request = request
        self._lease_id = reservation.lease_id
        self._shell = shell
        self._run = run
        self._launched = launched
        self._end = launched.lease_end
        self._hard = launched.hard_deadline
        self.later = timedelta(0)

    async def to_its_end(self) -> AgentResult:
        reading = asyncio.ensure_future(self._read())
        stopping = asyncio.ensure_future(self._parts.watch.stop(self._request.job_id))
        try:
            because = await self._until_over(reading, stopping)
        finally:
            # This process's own tasks; nothing outside is touched here.
            for task in (reading, stopping):
                task.cancel()
            await asyncio.wait({reading, stopping})
        if because is None:
            return reading.result()
        await runs.stop(self._shell, self._run)
        result = await self._read()
        if result.end in {AgentEnd.STOPPED, AgentEnd.CRASHED}:
            return result.model_copy(update={"end": because})
        return result

    async def _until_over(
        self, reading: asyncio.Task[AgentResult], stopping: asyncio.Task[StopKind]
    ) -> AgentEnd | None:
        """Wait for the agent's end, and return None; or return why it must end now."""
        while True:
            moving = asyncio.ensure_future(self._parts.watch.moved(self._lease_id, self._end))
            try:
                left = (self._hard + _LATE - datetime.now(UTC)).total_seconds()
                await asyncio.wait(
                    {reading, stopping, moving},
                    timeout=max(left, 0),
                    return_when=asyncio.FIRST_COMPLETED,
                )
            finally:
                moving.cancel()
                await asyncio.wait({moving})
            if reading.done():
                return None
            if stopping.done():
                return _ENDS.get(stopping.result(), AgentEnd.STOPPED)
            if moving.cancelled():
                return AgentEnd.TIMED_OUT
            await self._move(moving.result())

    async def _move(self, end: datetime | None) -> None:
        """Let the deadlines follow the reservation's end."""
        if end is None:
            raise LeaseLost(f"the reservation {self._lease_id} is gone")
        self.later = later = end - self._launched.lease_end
        await deadlines.move(self._shell, self._run, later=later)
        self._end = end
        self._hard = min(self._launched.hard_deadline + later, end)
        _log.info(DEADLINES_MOVED, end=end.isoformat(), later=later.total_seconds())

    async def _read(self) -> AgentResult:
        parts, request, run, shell = self._parts, self._request, self._run, self._shell
        parser = parts.agent(request.options.agent).parser()
        progress = parser.progress
        following = runs.follow(shell, run, offset=self._launched.log_offset, heard=answered)
        async with aclosing(following) as chunks:
            async for chunk in chunks:
                parser.feed(chunk.data)
                if parser.progress != progress:
                    progress = parser.progress
                    await self._note(progress)
        status = await runs.status(shell, run)
        if status.state == "absent":
            return AgentResult(end=AgentEnd.CRASHED, message="the agent was not started")
        return parser.result(status.exit_status, stopped=status.stopped, timed_out=status.timed_out)

    async def _note(self, progress: AgentProgress) -> None:
        """Keep how far it is, and have it end when it goes on beyond its limits."""
        jobs, job_id = self._parts.jobs, self._request.job_id
        turns = progress.turns + self._launched.earlier_turns
        progress = progress.model_copy(update={"turns": turns})
        jobs.progress.keep(job_id, progress)
        kind = _overspent(progress, self._request.options)
        if kind is not None and await jobs.request_stop(job_id, kind):
            _log.warning(AGENT_OVERSPENT, kind=kind, turns=turns, usd=progress.usd)
            self._parts.watch.look()


def _overspent(progress: AgentProgress, options: JobOptions) -> StopKind | None:
    """Return which limit the log is well beyond: the agent does not heed it."""
    if options.max_usd is not None and progress.usd > options.max_usd * _MARGIN:
        return StopKind.MAX_USD
    if progress.turns > max(options.max_turns * _MARGIN, options.max_turns + _TURNS):
        return StopKind.MAX_TURNS
    return None
