"""What the steps of a job return: small values that are recorded and decide how it goes on."""

from __future__ import annotations

from pydantic import AwareDatetime

from bot.models import (
    AgentResult,
    Collected,
    Frozen,
    JobPaths,
    LeaseId,
    PullRequest,
    Reservation,
    TorchBuild,
    Verdict,
)


class Done(Frozen):
    """A step that returns nothing."""


class Admitted(Frozen):
    """The issue is frozen, or the job is refused."""

    refusal: str = ""
    """Markdown of ours: why it is not carried out; empty when it is."""


class Reserved(Frozen):
    """A machine, or a job that was cancelled while it waited for one."""

    reservation: Reservation | None = None


class Moved(Frozen):
    """The machine is let go of, since it died."""

    cancelled_by: str | None = None
    """Who killed the job meanwhile."""


class Prepared(Frozen):
    """The workspace of the job, or nothing because it was cancelled."""

    build: TorchBuild | None = None
    paths: JobPaths | None = None
    prompt: str = ""
    """The agent's first message."""


class Launched(Frozen):
    """The agent was started; all it needs to be followed by another process."""

    session_id: str
    model_port: int
    """The machine's loopback port that leads to the gateway."""
    soft_deadline: AwareDatetime
    hard_deadline: AwareDatetime
    lease_end: AwareDatetime
    """The reservation's end when the deadlines were set: they move with it."""
    lease_id: LeaseId
    """Of this machine: a job whose machine died has another one."""
    attempt: int = 1
    """2 and more: the same session again, with the bot's own findings."""
    log_offset: int = 0
    """Where this attempt's part of the log begins, in bytes."""
    earlier_turns: int = 0


class Proven(Frozen):
    """What the bot itself saw; the whole of it is the document ``proof.json``."""

    verdict: Verdict | None = None
    """None when nothing could be tried."""
    is_proved: bool = False
    cancelled_by: str | None = None
    """Who killed the job meanwhile."""


class Followed(Frozen):
    """The agent has ended."""

    result: AgentResult
    cancelled_by: str | None = None
    more_hours: float = 0.0
    """By how much the reservation was extended meanwhile."""


class Gathered(Frozen):
    """What was collected; None when the machine did not answer any more."""

    collected: Collected | None = None


class Published(Frozen):
    """The draft pull request, or why there is none."""

    pull: PullRequest | None = None
    reason: str = ""
    """Markdown of ours."""
