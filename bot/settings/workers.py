"""The settings of the processes that share the work on Postgres."""

from __future__ import annotations

from datetime import timedelta
from typing import Self

from pydantic import Field, model_validator

from bot.settings.section import Duration, Section

_BEATS = 5
"""Heartbeats within the silence, at least: one that is late or lost ends nothing."""
_TRUSTED = 0.6
_IDLE = 0.3


class WorkerSettings(Section):
    """How a process that died is noticed; the same for all that share a database."""

    heartbeat: Duration = Field(default=timedelta(seconds=3), gt=timedelta(0))
    """How often each process says that it lives."""
    silence: Duration = Field(default=timedelta(seconds=30), gt=timedelta(0))
    """Who said nothing for this long is taken over by another process."""

    @model_validator(mode="after")
    def _several_heartbeats(self) -> Self:
        if self.heartbeat * _BEATS > self.silence:
            message = f"'silence' must be at least {_BEATS} times 'heartbeat'"
            raise ValueError(message)
        return self

    @property
    def trusted(self) -> timedelta:
        """How long after a heartbeat a process may still write.

        With ``idle`` it stays below the silence: nothing that it began then is committed after
        another has taken over.
        """
        return self.silence * _TRUSTED

    @property
    def idle(self) -> timedelta:
        """How long Postgres lets a transaction wait for its process, which may be frozen."""
        return self.silence * _IDLE
