"""The port to coding agents: how one is started and what its log says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.models import AgentProgress, AgentResult, JobOptions


@dataclass(frozen=True, slots=True)
class Launch:
    """What is needed to start an agent in a job's directory."""

    options: JobOptions
    session_id: str
    """A UUID that we choose, for agents that let us."""
    resume: bool
    """Whether the session exists already."""
    prompt: str
    """The first message: short, it points at ``brief.md``."""
    directory: str
    """The job directory on the machine: the agent's working directory."""
    worktree: str
    home: str
    """The agent's own HOME on the machine; holds its settings and skills."""
    path: str
    """PATH for the agent: the job's environment first."""
    model_url: str
    """Where the machine reaches the model's API (our gateway)."""
    model_token: str = field(repr=False)
    """A short-lived token for the gateway, never the model's key."""
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    """More variables for the agent: PYTHONPATH, VIRTUAL_ENV, CUDA_VISIBLE_DEVICES…"""


@dataclass(frozen=True, slots=True)
class Invocation:
    """A program to start: argv, its whole environment, and what it reads on stdin."""

    argv: tuple[str, ...]
    environment: Mapping[str, str]
    stdin: str
    files: Mapping[str, str] = field(default_factory=dict[str, str])
    """Files to write first: absolute path → text (the agent's settings in its HOME)."""


class LogParser(Protocol):
    """Reads an agent's log as it grows, in pieces of any size."""

    def feed(self, data: bytes) -> list[str]:
        """Take the next bytes; return readable lines for people (``--follow``)."""
        ...

    @property
    def progress(self) -> AgentProgress:
        """Turns, spend and last activity so far."""
        ...

    def result(self, exit_status: int | None, *, stopped: bool, timed_out: bool) -> AgentResult:
        """How the run ended, from the log and the exit status."""
        ...


class Agent(Protocol):
    """A coding agent: Claude Code, Codex."""

    @property
    def name(self) -> str:
        """How ``--agent`` calls it."""
        ...

    @property
    def default_model(self) -> str:
        """The model where nobody names one (``--model``)."""
        ...

    @property
    def skills(self) -> str:
        """Where it looks for skills, below its HOME: a directory for each, with ``SKILL.md``."""
        ...

    @property
    def keeps_limits(self) -> bool:
        """Whether it ends by itself at ``--max-turns`` and ``--max-usd``."""
        ...

    def invocation(self, launch: Launch) -> Invocation:
        """How to start it."""
        ...

    def parser(self) -> LogParser:
        """Return a new parser for one log."""
        ...
