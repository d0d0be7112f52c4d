"""The database of the bot's processes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class ChaosDatabase:
    """Where it is."""

    url: str

    @classmethod
    def file(cls, state: Path) -> ChaosDatabase:
        """Return SQLite's file, which the process with this state directory makes."""
        return cls(f"sqlite:///{state / 'ptq.sqlite'}")
