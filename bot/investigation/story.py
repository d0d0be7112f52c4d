"""How far a job came: what its recorded steps returned."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.investigation.records import Published

if TYPE_CHECKING:
    from bot.errors import PtqError
    from bot.investigation.records import (
        Followed,
        Gathered,
        Launched,
        Prepared,
        Proven,
        Reserved,
    )


@dataclass(slots=True)
class Story:
    """Filled in by the workflow, and the same again after a crash."""

    reserved: Reserved | None = None
    prepared: Prepared | None = None
    launched: Launched | None = None
    followed: Followed | None = None
    gathered: Gathered | None = None
    proven: Proven | None = None
    attempts: int = 0
    """How often the agent was started."""
    is_stopped: bool = True
    """Whether the agent that was started last is known to have ended."""
    published: Published = field(default_factory=Published)
    error: PtqError | None = None
    place: int = 1
    """2 when the first machine died."""
    killed_by: str | None = None
    """Who stopped the job while its machine was dead."""

    def begin_anew(self) -> None:
        """Forget what was done on the machine that died."""
        self.place += 1
        self.attempts = 0
        self.is_stopped = True
        self.reserved = self.prepared = self.launched = None
        self.followed = self.gathered = self.proven = self.error = None
