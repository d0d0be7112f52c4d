"""The nouns of ptq, typed and frozen: data from outside becomes one of these at the door."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Literal, NewType

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

JobId = NewType("JobId", str)
"""``YYYYMMDD-<repo>-<issue>`` in UTC, made unique with a suffix."""

LeaseId = NewType("LeaseId", str)
"""Our own id of a reservation, chosen before the provider is asked."""

DeliveryId = NewType("DeliveryId", str)
"""GitHub's ``X-GitHub-Delivery`` GUID; a redelivery keeps it."""


class Frozen(BaseModel):
    """A value that does not change and holds no unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class RepositoryName(Frozen):
    """``owner/name`` of a repository on GitHub."""

    owner: str
    name: str

    @classmethod
    def parse(cls, full_name: str) -> RepositoryName:
        """Read ``owner/name``; raise ValueError for anything else."""
        owner, slash, name = full_name.partition("/")
        if not (owner and slash and name) or "/" in name:
            message = f"not owner/name: {full_name!r}"
            raise ValueError(message)
        return cls(owner=owner, name=name)

    def __str__(self) -> str:
        """Return ``owner/name``."""
        return f"{self.owner}/{self.name}"


class Person(Frozen):
    """A GitHub account; the numeric id is what identifies it, a login can be renamed."""

    login: str
    id: int


class Permission(StrEnum):
    """What a person may do on a repository, weakest first (GitHub's ``role_name``)."""

    NONE = "none"
    READ = "read"
    TRIAGE = "triage"
    WRITE = "write"
    MAINTAIN = "maintain"
    ADMIN = "admin"

    def covers(self, other: Permission) -> bool:
        """Whether this permission is at least the other one."""
        order = list(Permission)
        return order.index(self) >= order.index(other)


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

    gpu_type: str = Field("h100", pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")
    gpus: int = Field(1, ge=1, le=16)
    hours: float = Field(4.0, gt=0, le=24)
    agent: str = Field("claude", pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")
    model: str = Field("opus", pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/\[\]-]{0,63}$")
    max_turns: int = Field(100, ge=1, le=1000)
    max_usd: float | None = Field(None, gt=0, le=1000)
    mode: Mode = Mode.FIX
    pr: bool = True
    machine: str | None = Field(None, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
    dockerfile: str | None = None
    specialists: tuple[str, ...] = ()
    include_comments: IncludeComments = IncludeComments.TRUSTED


class IssueComment(Frozen):
    """One comment under an issue as it was when the command was given."""

    id: int
    author: Person
    association: str
    permission: Permission | None = None
    body: str
    created_at: AwareDatetime
    updated_at: AwareDatetime


class IssueSnapshot(Frozen):
    """An issue frozen at the moment of the command: data, never part of a system prompt."""

    repository: RepositoryName
    number: int
    url: str
    title: str
    body: str
    author: Person
    association: str
    labels: tuple[str, ...] = ()
    state: str = "open"
    is_pull_request: bool = False
    created_at: AwareDatetime
    comments: tuple[IssueComment, ...] = ()
    frozen_at: AwareDatetime
    updated_at: AwareDatetime | None = None
    """When the issue last changed in any way: text, labels, a comment. Later than ``frozen_at``, its
    title and body may be newer than the command: GitHub's REST API does not say."""


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


class JobRequest(Frozen):
    """What was asked, by whom and where: the workflow's only input besides its id."""

    job_id: JobId
    run: int = Field(1, ge=1)
    repository: RepositoryName
    installation_id: int
    issue_number: int
    requester: Person
    command_comment_id: int
    """The comment that holds the command."""
    asked_at: AwareDatetime
    options: JobOptions = JobOptions()
    guidance: str = ""


class GpuRequest(Frozen):
    """What a job asks a provider for."""

    gpu_type: str
    gpus: int
    duration: timedelta
    machine: str | None = None


class Reservation(Frozen):
    """A machine that is ours for a while."""

    lease_id: LeaseId
    provider: str
    machine: str
    """The machine's name, as the provider and people call it."""
    gpu_type: str
    gpus: int
    expires_at: AwareDatetime
    workspace: str
    """Directory of the workspace on the machine; ``~`` is the login's home."""


class Verdict(StrEnum):
    """What was shown about the bug."""

    REPRODUCED = "reproduced"
    NOT_REPRODUCED = "not_reproduced"
    FIXED = "fixed"
    NOT_FIXED = "not_fixed"
    BROKE_OTHERS = "broke_others"
    ALREADY_PASSING = "already_passing"
    ENVIRONMENT = "environment"
    ERROR = "error"


class AgentVerdict(BaseModel):
    """``verdict.json`` as the agent left it: a claim, not a proof.

    Unknown keys are ignored, since the agent's file is data from a hostile machine.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    verdict: Verdict
    summary: Annotated[str, Field(max_length=4000)] = ""
    root_cause: Annotated[str, Field(max_length=8000)] = ""
    failure: Annotated[str, Field(max_length=2000)] = ""
    """Exception class and the distinctive part of its message, or the signal."""
    tests: tuple[Annotated[str, Field(max_length=500)], ...] = ()
    """Commands the agent ran to check its change."""
    missing: Annotated[str, Field(max_length=4000)] = ""
    """What the issue lacks, when the bug did not reproduce."""


class AgentEnd(StrEnum):
    """How the agent ended."""

    SUCCESS = "success"
    MAX_TURNS = "max_turns"
    MAX_USD = "max_usd"
    API_ERROR = "api_error"
    """The model's API refused or failed (credit, key, overload, refusal)."""
    STOPPED = "stopped"
    """We stopped it: kill, or the hard deadline."""
    TIMED_OUT = "timed_out"
    CRASHED = "crashed"
    """It ended without a result and nobody stopped it."""


class AgentProgress(Frozen):
    """What the agent's log says so far."""

    turns: int = 0
    usd: float = 0.0
    last_activity: str = ""
    """One line: the last tool call or sentence, untrusted."""
    session_id: str | None = None


class AgentResult(Frozen):
    """How an agent's run ended."""

    end: AgentEnd
    exit_status: int | None = None
    """As ``subprocess`` gives it: negative for a signal; None when it is not known."""
    message: str = ""
    """The agent's last words or the error, untrusted."""
    progress: AgentProgress = AgentProgress()


class TorchBuild(Frozen):
    """What the workspace runs."""

    version: str
    wheel_commit: str
    """``torch.version.git_version``."""
    base_commit: str
    """The commit in the source that patches are made against; the wheel's, or for a nightly the
    commit of main that the nightly names."""
    cuda: str | None = None
    python: str
    gpu: str | None = None
    driver: str | None = None


class JobPaths(Frozen):
    """Absolute paths on the machine of one job."""

    directory: str
    worktree: str
    environment: str
    """The job's own virtual environment."""


Artifact = Literal["report.md", "worklog.md", "verdict.json", "fix.diff", "log", "brief.md", "pr.json"]


class DiffStat(Frozen):
    """The size of a patch."""

    files: tuple[str, ...]
    added: int
    removed: int


class Collected(Frozen):
    """What came back from the machine; texts are on disk under the state directory."""

    directory: str
    """Local directory of this run's artifacts."""
    files: dict[str, int]
    """Artifact name → size in bytes."""
    truncated: tuple[str, ...] = ()
    """Artifacts that were larger than the cap; their beginning and end are kept."""
    agent_verdict: AgentVerdict | None = None
    verdict_problem: str = ""
    """Why there is no ``agent_verdict``, for people."""
    partial: bool = False


class PullRequest(Frozen):
    """A pull request that the bot opened or found."""

    number: int
    url: str
    branch: str
    draft: bool


class Times(Frozen):
    """When a job's phases began."""

    at: dict[JobState, AwareDatetime] = {}


def utc(text: str) -> datetime:
    """Read GitHub's ISO 8601 timestamps (``2026-01-02T03:04:05Z``) as aware datetimes."""
    return datetime.fromisoformat(text)
