"""What the service does by the clock: deliveries that failed, and comments that were missed."""

from __future__ import annotations

from bot.sweeper.passes import sweeping, sweeping_jobs

__all__ = ["sweeping", "sweeping_jobs"]
