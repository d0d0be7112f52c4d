"""Where a job stands in the queue, and why, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from bot.commands.code import code
from bot.queue import (
    BiggerFirst,
    GpuTypeIsFull,
    NoFreeMachine,
    PersonIsFull,
    RepositoryIsFull,
)
from bot.render.phrases import count, name, ordinal

if TYPE_CHECKING:
    from bot.queue import Reason, Standing


def queue_place(standing: Standing) -> str:
    """Return ``2nd in the queue``."""
    return f"{ordinal(standing.position)} in the queue"


def why_it_waits(reason: Reason, *, requester: str) -> str:
    """Return why a job has no machine yet, as a sentence."""
    match reason:
        case NoFreeMachine():
            named = reason.machine
            busy = "every machine that fits" if named is None else f"machine {code(named)}"
            return f"It waits because {busy} is busy."
        case RepositoryIsFull():
            running = f"{_of(reason.running, reason.limit)} that may run at once"
            return f"It waits because this repository has {running}."
        case PersonIsFull():
            where = " here" if reason.is_here else ""
            running = f"{_of(reason.running, reason.limit)} that one person may have at once{where}"
            return f"It waits because {name(requester)} has {running}."
        case GpuTypeIsFull():
            lent = f"{reason.running} of the {reason.limit} {code(reason.gpu_type)}"
            return f"It waits because {lent} that may be lent at once are in use."
        case BiggerFirst():
            kind = code(reason.gpu_type)
            return f"It waits because a job that needs more {kind} at once has waited too long."
        case _:
            assert_never(reason)


def _of(running: int, limit: int) -> str:
    return f"{running} of the {count(limit, 'job')}"
