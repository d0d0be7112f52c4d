"""A coding agent: how far it is, how it ended, what it left."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from bot.models.names import Frozen
from bot.models.verdict import Verdict


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
    """What was spent; 0 while it is not known, as with agents that tell tokens alone."""
    tokens: int = 0
    """Read and written by the model; 0 with agents that tell dollars."""
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


Artifact = Literal[
    "report.md",
    "worklog.md",
    "verdict.json",
    "fix.diff",
    "log",
    "brief.md",
    "pr.json",
    "repro_agent.py",
]


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
