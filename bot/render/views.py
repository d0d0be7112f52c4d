"""What the messages are made from: frozen, filled in by the reporter and the publisher."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from bot.models import AgentProgress, JobOptions, JobState

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from bot.models import AgentEnd, JobId, Outcome, Proof, TorchBuild, Verdict
    from bot.queue import Standing

_OPTIONS = JobOptions()
_PROGRESS = AgentProgress()

PHASES = (
    JobState.RESERVING,
    JobState.PREPARING,
    JobState.INVESTIGATING,
    JobState.PROVING,
    JobState.RELEASING,
    JobState.PUBLISHING,
)
"""The lines of the checklist, in their order; that of the proof only where there is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What every message about a job needs."""

    id: JobId
    run: int = 1
    issue_number: int | None
    """None for a free task of a terminal."""
    requester: str
    """Login of the person who asked."""
    command_url: str | None = None
    """The comment that holds the command."""
    options: JobOptions = _OPTIONS


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """What the agent left, untrusted and of any length; empty where there is nothing."""

    report: str = ""
    patch: str = ""
    worklog: str = ""
    log: str = ""
    """The end of the agent's log, in readable lines."""
    repro: str = ""
    """The repro that the agent wrote where the issue has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressView:
    """The progress comment: while the job runs, and with ``outcome`` when it has ended."""

    job: Job
    state: JobState
    now: datetime
    times: Mapping[JobState, datetime] = field(default_factory=lambda: MappingProxyType({}))
    """When each state was entered; those that were not are missing."""
    phases: tuple[JobState, ...] = PHASES
    failed_in: JobState | None = None
    """The phase that went wrong, once it is known."""
    standing: Standing | None = None
    """Where the job stands in the queue, while it waits."""
    machine: str = ""
    """Its name, empty while there is none."""
    lost_machine: str = ""
    """The one that died under the job, which then began again."""
    torch_version: str = ""
    progress: AgentProgress = _PROGRESS
    can_be_killed: bool = False
    """Whether `/ptq kill` is built and would still do something."""
    will_prove: bool = False
    """Whether a proof is planned: in fix mode the checklist names it before it begins."""
    agent_end: AgentEnd | None = None
    """How the agent ended; None when it was not started, or is not known."""
    outcome: Outcome | None = None
    proof: Proof | None = None
    """What the bot saw; its verdict is told, and ``outcome.claim`` is the agent's."""
    texts: Texts = field(default_factory=Texts)
    whole_url: str | None = None
    """Where the artifacts can be had in full, for readers of this thread."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingView:
    """Where a job is, for who asks."""

    job: Job
    state: JobState
    now: datetime
    times: Mapping[JobState, datetime] = field(default_factory=lambda: MappingProxyType({}))
    """When each state was entered; those that were not are missing."""
    standing: Standing | None = None
    """Its place in the queue, and why it waits; None where it does not."""
    machine: str = ""
    """Its name, empty while there is none."""
    expires_at: datetime | None = None
    """The end of its reservation; None where it has none."""
    progress: AgentProgress = _PROGRESS
    is_stopping: bool = False
    """Whether somebody stopped it, and it has not ended yet."""
    verdict: Verdict | None = None
    proof: Proof | None = None
    progress_url: str | None = None
    closing_url: str | None = None
    pull_url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PeekView:
    """What an agent wrote so far; its texts are untrusted."""

    job: Job
    state: JobState
    machine: str = ""
    worklog: str = ""
    log: tuple[str, ...] = ()
    """The last readable lines."""
    is_silent: bool = False
    """Whether the machine did not answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultsView:
    """What a job found."""

    job: Job
    outcome: Outcome
    proof: Proof | None = None
    texts: Texts = field(default_factory=Texts)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosingView:
    """The closing comment."""

    job: Job
    outcome: Outcome
    progress_url: str | None = None
    """The progress comment, which holds the report."""
    agent_end: AgentEnd | None = None
    """How the agent ended; None when it was not started, or is not known."""
    missing: str = ""
    """What the agent says the issue lacks, untrusted."""
    cancelled_by: str | None = None
    """Login of the person who stopped the job."""
    has_report: bool = False
    proof: Proof | None = None
    """What the bot saw; its verdict is told, and ``outcome.claim`` is the agent's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequestView:
    """A draft pull request and its commit; the agent's texts are untrusted."""

    job: Job
    title: str = ""
    body: str = ""
    commit_message: str = ""
    tests: tuple[str, ...] = ()
    """Commands the agent says it ran to check the change."""
    progress: AgentProgress = _PROGRESS
    torch: TorchBuild | None = None
    progress_url: str | None = None
    proof: Proof | None = None
