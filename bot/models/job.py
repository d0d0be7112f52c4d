"""A job: what was asked for, where it is, how it ended."""

from __future__ import annotations

from enum import StrEnum

from pydantic import AwareDatetime, Field

from bot.models.agent import AgentEnd
from bot.models.names import Frozen, JobId, LeaseId, Person, RepositoryName
from bot.models.verdict import Verdict


class Mode(StrEnum):
    """How far a job goes."""

    REPRODUCE = "reproduce"
    DIAGNOSE = "diagnose"
    FIX = "fix"


class IncludeComments(StrEnum):
    """Whose comments the agent sees."""

    ALL = "all"
    TRUSTED = "trusted"
    NONE = "none"


class JobOptions(Frozen):
    """The options of a job, the same in a comment and on the command line.

    ``hours`` is a cap on the reservation in hours, ``max_usd`` on the model's spend in US dollars.
    """

    gpu_type: str = Field(default="h100", pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")
    gpus: int = Field(default=1, ge=1, le=16)
    hours: float = Field(default=4.0, gt=0, le=24)
    agent: str = Field(default="claude", pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")
    model: str = Field(default="opus", pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/\[\]-]{0,63}$")
    max_turns: int = Field(default=100, ge=1, le=1000)
    max_usd: float | None = Field(default=None, gt=0, le=1000)
    mode: Mode = Mode.FIX
    pr: bool = True
    machine: str | None = Field(default=None, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
    dockerfile: str | None = None
    specialists: tuple[str, ...] = ()
    include_comments: IncludeComments = IncludeComments.TRUSTED


class JobState(StrEnum):
    """Where a job is; the last five are ends."""

    RECEIVED = "received"
    QUEUED = "queued"
    RESERVING = "reserving"
    PREPARING = "preparing"
    INVESTIGATING = "investigating"
    PROVING = "proving"
    RELEASING = "releasing"
    PUBLISHING = "publishing"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"
    TIMED_OUT = "timed_out"
    REFUSED = "refused"

    @property
    def is_end(self) -> bool:
        """Whether nothing follows this state."""
        return self in _ENDS


_ENDS = frozenset(
    {
        JobState.FINISHED,
        JobState.FAILED,
        JobState.CANCELLED,
        JobState.TIMED_OUT,
        JobState.REFUSED,
    }
)


class StopKind(StrEnum):
    """Why a job is asked to stop."""

    KILLED = "killed"
    """By a person; whatever is being done ends."""
    MAX_USD = "max_usd"
    """Its money is spent; the agent ends, and what it left is collected and tried."""
    MAX_TURNS = "max_turns"
    """The same, with its turns."""


class Thread(Frozen):
    """The issue under which a job is told, and the installation that speaks there."""

    repository: RepositoryName
    installation_id: int
    number: int


class JobRequest(Frozen):
    """What was asked, by whom and where: the workflow's only input besides its id."""

    job_id: JobId
    run: int = Field(default=1, ge=1)
    repository: RepositoryName
    installation_id: int | None
    """The App's, which speaks in the thread; None when it was asked for in a terminal."""
    issue_number: int | None
    """None for a free task of a terminal."""
    requester: Person
    command_comment_id: int | None = None
    """The comment that holds the command; None when a label or a terminal gave it."""
    command_url: str | None = None
    """Where people read it."""
    asked_at: AwareDatetime
    options: JobOptions = JobOptions()
    task: str = ""
    """A free task; empty when the issue itself is investigated."""
    guidance: str = ""

    @property
    def thread(self) -> Thread | None:
        """Where people on GitHub hear of it; None: nothing is written on GitHub."""
        if self.installation_id is None or self.issue_number is None:
            return None
        return Thread(
            repository=self.repository,
            installation_id=self.installation_id,
            number=self.issue_number,
        )

    @property
    def lease_id(self) -> LeaseId:
        """Our id of the run's reservation: the same for every try of the step."""
        return LeaseId(f"{self.job_id}/{self.run}")

    @property
    def is_told(self) -> bool:
        """Whether a thread on GitHub hears of it."""
        return self.thread is not None


class DiffStat(Frozen):
    """The size of a patch."""

    files: tuple[str, ...]
    added: int
    removed: int


class PullRequest(Frozen):
    """A pull request that the bot opened or found."""

    number: int
    url: str
    branch: str
    draft: bool
    commit: str = ""
    """Where its branch was left."""
    updated: bool = False
    """Whether an earlier run of the job had opened it."""
    instead_of: int | None = None
    """The earlier run's, which was left as it is: others decided about it, or pushed to it."""


class Outcome(Frozen):
    """How a job ended, settled before people are told."""

    state: JobState
    """One of the ends."""
    verdict: Verdict | None = None
    """What the bot proved, else what the agent claims; None when neither got as far."""
    claim: Verdict | None = None
    """What the agent claims, beside a proof; None when it left no verdict."""
    summary: str = ""
    """The agent's own sentences about it: untrusted."""
    pull: PullRequest | None = None
    no_pull_reason: str = ""
    """Why there is no draft pull request, as Markdown of ours; empty when there is one."""
    problem: str = ""
    """What went wrong, as a sentence for people, without addresses or secrets."""
    agent_end: AgentEnd | None = None
    """How the agent ended; None when it was not started, or is not known."""
    missing: str = ""
    """What the agent says the issue lacks: untrusted."""
    partial: bool = False
    """Whether the run was cut short: what was collected may be incomplete."""
    more_hours: float = 0.0
    """By how much the reservation was extended."""
