"""The queue: which waiting job has a machine next, and why the others wait. Pure."""

from __future__ import annotations

from bot.queue.deciding import decide
from bot.queue.model import (
    BiggerFirst,
    GpuTypeIsFull,
    NoFreeMachine,
    PersonIsFull,
    Placed,
    Plan,
    Reason,
    RepositoryIsFull,
    Rules,
    Running,
    Standing,
    Waiting,
)

__all__ = [
    "BiggerFirst",
    "GpuTypeIsFull",
    "NoFreeMachine",
    "PersonIsFull",
    "Placed",
    "Plan",
    "Reason",
    "RepositoryIsFull",
    "Rules",
    "Running",
    "Standing",
    "Waiting",
    "decide",
]
