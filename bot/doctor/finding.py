"""What was found out about one part."""

from __future__ import annotations

from typing import Literal

from bot.models import Frozen


class Finding(Frozen):
    """One line: a part is fine, or what is wrong about it and how to mend it."""

    part: str
    """What was tried: ``GitHub App``, ``machine gpu-1: disk``."""
    state: Literal["fine", "note", "wrong"]
    """A note is no fault, and worth knowing."""
    says: str
    mend: str = ""
    """What to do about it; empty where there is nothing to do."""


def fine(part: str, says: str) -> Finding:
    """Say that a part works, and what it is."""
    return Finding(part=part, state="fine", says=says)


def note(part: str, says: str, *, mend: str = "") -> Finding:
    """Say what is no fault."""
    return Finding(part=part, state="note", says=says, mend=mend)


def wrong(part: str, says: str, *, mend: str = "") -> Finding:
    """Say what keeps a job from being done."""
    return Finding(part=part, state="wrong", says=says, mend=mend)
