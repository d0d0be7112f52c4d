"""Figures and names as people write them."""

from __future__ import annotations

import re
from datetime import UTC
from typing import TYPE_CHECKING

from bot.commands.code import code

if TYPE_CHECKING:
    from datetime import datetime, timedelta

_LOGIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,99})")
_MINUTE = 60
_HOUR = 3600


def mention(login: str) -> str:
    """Call a person, who is notified; a name that GitHub does not give is shown as code."""
    return f"@{login}" if _LOGIN.fullmatch(login) else code(login)


def name(login: str) -> str:
    """Name a person without notifying anybody."""
    return login if _LOGIN.fullmatch(login) else code(login)


def count(number: int, noun: str) -> str:
    """Return ``1 turn``, ``2 turns``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def duration(span: timedelta) -> str:
    """Return ``45 s``, ``12 min`` or ``3 h 05 min``; a negative one is ``0 s``."""
    seconds = max(0, round(span.total_seconds()))
    if seconds < _MINUTE:
        return f"{seconds} s"
    minutes = round(seconds / 60)
    if minutes < _MINUTE:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60:02} min"


def hours(number: float) -> str:
    """Return ``1 hour``, ``1.5 hours``."""
    return "1 hour" if number == 1 else f"{number:g} hours"


def money(usd: float) -> str:
    """Return ``$0.84``."""
    return f"${usd:,.2f}"


def moment(when: datetime) -> str:
    """Return ``2026-01-02 15:04 UTC``."""
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def ordinal(number: int) -> str:
    """Return ``1st``, ``2nd``, ``3rd``, ``4th``, ``11th``."""
    if number % 100 in {11, 12, 13}:
        return f"{number}th"
    return f"{number}{({1: 'st', 2: 'nd', 3: 'rd'}).get(number % 10, 'th')}"


def gpus(number: int, gpu_type: str) -> str:
    """Return a number of GPUs and their type as code, or that there is none."""
    if number == 0 or gpu_type.startswith("cpu"):
        return "no GPU"
    return code(f"{number} × {gpu_type}")  # noqa: RUF001 -- the times sign
