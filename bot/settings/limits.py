"""The settings of what anybody may ask for."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from bot.settings.section import Section


class LimitSettings(Section):
    """What anybody may ask for, and how much of it at once: over the latter, a job waits."""

    hours: float = Field(default=8.0, gt=0, le=24)
    gpus: int = Field(default=8, ge=0)
    usd: float = Field(default=50.0, gt=0)
    artifact_bytes: int = 20_000_000
    """One artifact fetched from a machine; what is longer loses its middle."""
    jobs_per_repository: int = Field(default=0, ge=0)
    """Jobs of one repository that have a machine at once; 0 is no limit."""
    jobs_per_person: int = Field(default=0, ge=0)
    """The same of one person; without a limit people take turns all the same."""
    gpu_types: dict[str, Annotated[int, Field(ge=0)]] = Field(default_factory=dict[str, int])
    """Kind of GPU → how many are lent at once, for example ``{h100 = 8}``."""
    priorities: dict[str, int] = Field(default_factory=dict[str, int])
    """``owner/name`` or ``owner`` → priority of its jobs; a higher one goes first, 0 is usual."""

    def priority(self, full_name: str) -> int:
        """Return the priority of a repository's jobs; its own wins over its owner's."""
        known = {name.lower(): number for name, number in self.priorities.items()}
        name = full_name.lower()
        return known.get(name, known.get(name.partition("/")[0], 0))
