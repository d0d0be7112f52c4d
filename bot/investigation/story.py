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
    published: Published = field(default_factory=Published)
    error: PtqError | None = None
