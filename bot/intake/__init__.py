"""A delivery → its commands → a refusal, an answer or a job."""

from __future__ import annotations

from bot.intake.handling import Handling
from bot.intake.receiving import Receipt, Receiving

__all__ = ["Handling", "Receipt", "Receiving"]
