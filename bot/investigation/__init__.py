"""The durable workflow of a job, told step by step."""

from __future__ import annotations

from bot.investigation.extending import extend, extend_lease
from bot.investigation.parts import Parts
from bot.investigation.steps import Steps
from bot.investigation.waiting import WaitingRoom
from bot.investigation.watching import Watch
from bot.investigation.workflow import Investigation

__all__ = [
    "Investigation",
    "Parts",
    "Steps",
    "WaitingRoom",
    "Watch",
    "extend",
    "extend_lease",
]
