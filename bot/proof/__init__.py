"""What the bot itself shows: the repro fails before the patch and passes after it."""

from __future__ import annotations

from bot.proof.proving import prove

__all__ = ["prove"]
