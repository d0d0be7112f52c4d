"""The settings of what the service does by the clock."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field

from bot.settings.section import Duration, Section


class ScheduleSettings(Section):
    """How often the service looks after what nobody told it of; each first at the start."""

    deliveries: Duration = timedelta(minutes=5)
    """Deliveries that failed are made again."""
    comments: Duration = timedelta(minutes=5)
    """Comments of served repositories are read again."""
    jobs: Duration = timedelta(minutes=1)
    """Leases that no living job owns are given back, and jobs that were lost are ended."""
    pruning: Duration = timedelta(hours=1)
    """What is older than ``retention`` says is deleted."""


class RetentionSettings(Section):
    """How long things are kept; what belongs to an unfinished job always is."""

    jobs: Duration = Field(default=timedelta(days=90), ge=timedelta(days=4))
    """Jobs, their documents, commands and files, counted from their end."""
    job_directories: Duration = timedelta(days=14)
    """A job's directory on a machine of ours: its worktree and environment."""
    deliveries: Duration = Field(default=timedelta(days=30), ge=timedelta(days=4))
    """That a delivery with a command was handled. GitHub may deliver again for three days."""
    ignored_deliveries: Duration = Field(default=timedelta(days=7), ge=timedelta(days=4))
    """That a delivery without one came."""
    workflows: Duration = Field(default=timedelta(days=7), ge=timedelta(days=2))
    """What the engine recorded of workflows that have ended."""
