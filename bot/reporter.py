"""What people read of a job: a progress comment that becomes the report, and a closing comment.

The closing one is short and mentions who asked; edits notify nobody. Both are found again by a
hidden marker in a comment that our App wrote, so a step that runs twice writes neither twice.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

from bot import render, told
from bot.errors import GitHubError, GitHubNotFound, Paused
from bot.models import AgentProgress, JobState, Mode

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping
    from datetime import timedelta

    from bot.agents.base import Agent
    from bot.github import GitHub, Repository
    from bot.models import JobId, Outcome, Thread
    from bot.posting import Posting
    from bot.redaction import Redactor
    from bot.store import Documents, Job, Jobs, Queue

PROGRESS_NOT_SHOWN = "progress_not_shown"
COMMENT_GONE = "comment_gone"

_TRIED = (
    JobState.RESERVING,
    JobState.PREPARING,
    JobState.INVESTIGATING,
    JobState.PROVING,
)
_SHORTEST = 0.2
"""Seconds between two looks at a job, however short the interval."""
_EACH = 1.0
"""Seconds for one edit: GitHub takes 180 writes a minute, and all jobs share them."""
_log = structlog.stdlib.get_logger(__name__)


class Reporter:
    """Writes the two comments of each job that a thread hears of."""

    def __init__(
        self,
        *,
        github: GitHub,
        posting: Posting,
        jobs: Jobs,
        documents: Documents,
        queue: Queue,
        agents: Mapping[str, Agent],
        redactor: Redactor,
        interval: timedelta,
    ) -> None:
        """Edit a progress comment no more often than once an ``interval``."""
        self._github = github
        self._posting = posting
        self._jobs = jobs
        self._documents = documents
        self._queue = queue
        self._agents = agents
        self._redactor = redactor
        self._interval = interval.total_seconds()
        self._shown: dict[JobId, tuple[float, str]] = {}
        self._live: set[asyncio.Future[None]] = set()

    async def announce(self, job_id: JobId) -> None:
        """Write the progress comment, before anything is asked of a provider."""
        job = await self._jobs.get(job_id)
        thread = job.request.thread
        if job.progress_comment_id is not None or thread is None:
            return
        text = await self._progress(job)
        marker = render.progress_marker(job_id, run=job.request.run)
        comment = await self._posting.once(self._repository(thread), thread.number, marker, text)
        self._shown[job_id] = time.monotonic(), text
        await self._jobs.set_progress_comment(job_id, comment.id, comment.url)

    async def show(self, job_id: JobId) -> None:
        """Bring the progress comment up to date, unless that was done a moment ago.

        A failure is logged and no more: the next edit tells the same.
        """
        job = await self._jobs.get(job_id)
        last, shown = self._shown.get(job_id, (float("-inf"), ""))
        comment_id, thread = job.progress_comment_id, job.request.thread
        if comment_id is None or thread is None or time.monotonic() - last < self._interval:
            return
        text = await self._progress(job)
        if text == shown:
            return
        self._shown[job_id] = time.monotonic(), text
        try:
            await self._repository(thread).edit_comment(comment_id, text)
        except (GitHubError, Paused) as error:
            _log.warning(PROGRESS_NOT_SHOWN, reason=str(error))

    @asynccontextmanager
    async def live(self, job_id: JobId) -> AsyncGenerator[None]:
        """Keep the progress comment up to date while the block runs."""
        keeping = asyncio.ensure_future(self._keep_shown(job_id))
        self._live.add(keeping)
        try:
            yield
        finally:
            self._live.discard(keeping)
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)

    async def report(self, job_id: JobId, *, run: int | None = None) -> None:
        """Give the progress comment its last form: how it ended, and what the agent left.

        With ``run``, nothing is done once the job's row is that of another run.
        """
        job = await self._jobs.get(job_id)
        thread = job.request.thread
        if job.progress_comment_id is None or thread is None or run not in {None, job.request.run}:
            return
        text = await self._progress(job, outcome=told.outcome_of(job))
        self._shown.pop(job_id, None)
        try:
            await self._repository(thread).edit_comment(job.progress_comment_id, text)
        except GitHubNotFound:
            # Somebody deleted it. The closing comment still tells the verdict.
            _log.warning(COMMENT_GONE, comment=job.progress_comment_id)
        await self._jobs.set_reported(job_id)

    async def close(self, job_id: JobId, *, run: int | None = None) -> None:
        """Write the closing comment; ``run`` as in ``report``."""
        job = await self._jobs.get(job_id)
        thread = job.request.thread
        is_another = run not in {None, job.request.run}
        if job.closing_comment_id is not None or thread is None or is_another:
            return
        outcome = told.outcome_of(job)
        documents = await self._documents.read_all(job_id, job.request.run)
        view = render.ClosingView(
            job=told.job_view(job),
            outcome=outcome,
            progress_url=job.progress_comment_url,
            agent_end=outcome.agent_end,
            missing=outcome.missing,
            cancelled_by=job.kill_requested_by,
            has_report=bool(documents.get("report.md")),
            proof=told.proof_of(documents),
        )
        marker = render.closing_marker(job_id, run=job.request.run)
        text = render.closing(view, redactor=self._redactor)
        comment = await self._posting.once(self._repository(thread), thread.number, marker, text)
        await self._jobs.set_closing_comment(job_id, comment.id, comment.url)

    async def make_up(self, job: Job) -> bool:
        """Tell what an ended job owes to people; return whether that was anything."""
        owes_report = job.progress_comment_id is not None and not job.is_reported
        owes_closing = job.request.thread is not None and job.closing_comment_id is None
        if owes_report:
            await self.report(job.id, run=job.request.run)
        if owes_closing:
            await self.close(job.id, run=job.request.run)
        return owes_report or owes_closing

    async def _keep_shown(self, job_id: JobId) -> None:
        while True:
            others = (len(self._live) - 1) * _EACH
            await asyncio.sleep(max(self._interval, _SHORTEST, others))
            try:
                await self.show(job_id)
            except Paused as error:
                _log.warning(PROGRESS_NOT_SHOWN, reason=str(error))

    async def _progress(self, job: Job, *, outcome: Outcome | None = None) -> str:
        documents = await self._documents.read_all(job.id, job.request.run) if outcome else {}
        waits = outcome is None and job.state is JobState.QUEUED
        view = render.ProgressView(
            job=told.job_view(job),
            state=outcome.state if outcome else job.state,
            now=datetime.now(UTC),
            times=job.states,
            failed_in=_failed_in(job, outcome),
            standing=await self._queue.standing(job.id) if waits else None,
            machine=job.machine or "",
            lost_machine=job.lost_machine or "",
            torch_version=job.build.version if job.build else "",
            progress=job.progress or AgentProgress(),
            outcome=outcome,
            agent_end=outcome.agent_end if outcome else None,
            can_be_killed=outcome is None and job.kill_requested_by is None,
            will_prove=job.request.options.mode is Mode.FIX,
            proof=told.proof_of(documents),
            texts=told.texts_of(job, documents, agents=self._agents),
        )
        return render.progress(view, redactor=self._redactor)

    def _repository(self, thread: Thread) -> Repository:
        return self._github.repository(thread.repository, thread.installation_id)


def _failed_in(job: Job, outcome: Outcome | None) -> JobState | None:
    if outcome is None or outcome.state is not JobState.FAILED:
        return None
    return next((state for state in reversed(_TRIED) if state in job.states), None)
