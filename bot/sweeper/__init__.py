"""What the service does by the clock: deliveries that failed, and comments that were missed."""

from __future__ import annotations

from bot.sweeper.passes import sweeping

__all__ = ["sweeping"]
