"""What stands in the way of a service with these settings: each part is tried, one line each."""

from __future__ import annotations

from bot.doctor.examination import examine
from bot.doctor.finding import Finding

__all__ = ["Finding", "examine"]
