"""The nouns of ptq, typed and frozen: data from outside becomes one of these at the door."""

from __future__ import annotations

from bot.models.agent import (
    AgentEnd,
    AgentProgress,
    AgentResult,
    AgentVerdict,
    Artifact,
    Collected,
)
from bot.models.issue import (
    IssueComment,
    IssueSnapshot,
)
from bot.models.job import (
    DiffStat,
    IncludeComments,
    JobOptions,
    JobRequest,
    JobState,
    Mode,
    Outcome,
    PullRequest,
    StopKind,
    Thread,
)
from bot.models.machine import (
    GpuRequest,
    JobPaths,
    Offer,
    Reservation,
    TorchBuild,
)
from bot.models.names import (
    DeliveryId,
    Frozen,
    JobId,
    LeaseId,
    Permission,
    Person,
    RepositoryName,
    new_job_id,
    utc,
)
from bot.models.proof import (
    FailureKind,
    Neighbour,
    Proof,
    Signature,
    TestEnd,
    Trial,
    Trials,
)
from bot.models.verdict import Verdict

__all__ = [
    "AgentEnd",
    "AgentProgress",
    "AgentResult",
    "AgentVerdict",
    "Artifact",
    "Collected",
    "DeliveryId",
    "DiffStat",
    "FailureKind",
    "Frozen",
    "GpuRequest",
    "IncludeComments",
    "IssueComment",
    "IssueSnapshot",
    "JobId",
    "JobOptions",
    "JobPaths",
    "JobRequest",
    "JobState",
    "LeaseId",
    "Mode",
    "Neighbour",
    "Offer",
    "Outcome",
    "Permission",
    "Person",
    "Proof",
    "PullRequest",
    "RepositoryName",
    "Reservation",
    "Signature",
    "StopKind",
    "TestEnd",
    "Thread",
    "TorchBuild",
    "Trial",
    "Trials",
    "Verdict",
    "new_job_id",
    "utc",
]
