"""The settings of what anybody may ask for."""

from __future__ import annotations

from pydantic import Field

from bot.settings.section import Section


class LimitSettings(Section):
    """What anybody may ask for."""

    hours: float = Field(default=8.0, gt=0, le=24)
    gpus: int = Field(default=8, ge=0)
    usd: float = Field(default=50.0, gt=0)
    artifact_bytes: int = 20_000_000
    """One artifact fetched from a machine; what is longer loses its middle."""
