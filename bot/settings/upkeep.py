"""The settings of what the service does by the clock."""

from __future__ import annotations

from datetime import timedelta

from bot.settings.section import Duration, Section


class ScheduleSettings(Section):
    """How often the service looks after what nobody told it of; each first at the start."""

    deliveries: Duration = timedelta(minutes=5)
    """Deliveries that failed are made again."""
    comments: Duration = timedelta(minutes=5)
    """Comments of served repositories are read again."""
    jobs: Duration = timedelta(minutes=1)
    """Leases that no living job owns are given back, and jobs that were lost are ended."""
